"""Drawing tokens: one stream for each sample of each prompt, all decoded together.

The shared prompt is computed once, and its whole blocks of 256 tokens are read once a step whatever
the number of samples (bifurcated attention, arXiv 2403.08845); what is behind them each sample
reads, as it does its own tokens. Random numbers depend on seed, sample and position only, so a
sample does not depend on the number of others. Streams share a sequence, and a row of each step,
until they draw different tokens.
"""

import math
import time
from collections import deque
from collections.abc import Iterator
from collections.abc import Sequence as Ids
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain, groupby

from midline import kernels
from midline.model.decoding.alignment.covering_tree import Covered, CoveringTree, cover
from midline.model.decoding.alignment.token_healing import Alignment
from midline.model.decoding.repetition import repeats
from midline.model.decoding.request import (
    Batch,
    Completion,
    GenerateOptions,
    Generation,
    OnToken,
    Timings,
)
from midline.model.decoding.speculative.prompt_lookup import Drafter
from midline.model.errors import MidlineError
from midline.model.runtime.kv_cache import CacheFull, Sequence
from midline.model.runtime.transformer import (
    EXACT_ROWS,
    Cancellation,
    Cancelled,
    Logits,
    StepOptions,
    Transformer,
)
from midline.model.teal.profile import Profile
from midline.model.tokenizer.tokenizer import Tokenizer

DENSE_TOKENS = 4
"""Generated tokens that are dense for all that: the first ones decide the most."""
SINK_TOKENS = 16
"""So are a sequence's first tokens, which all later ones attend to."""


@dataclass(slots=True)
class _Stream:
    prompt: int
    sample: int
    sequence: Sequence
    alignment: Alignment
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    finish: str = ""


class Decoding:
    """One request: prompts prefilled, streams stepped until each has finished.

    A `drafter` is asked when there is one stream: rows of a pass up to EXACT_ROWS have the bits
    that each has alone, so what a pass keeps of a draft is what would have been drawn one by one.
    """

    def __init__(
        self,
        transformer: Transformer,
        tokenizer: Tokenizer,
        options: GenerateOptions,
        batch: Batch,
        *,
        cancel: Cancellation | None,
        on_token: OnToken | None,
        drafter: Drafter | None = None,
        profile: Profile | None = None,
    ) -> None:
        self._model, self._tokenizer, self._options = transformer, tokenizer, options
        self._batch, self._cancel, self._on_token = batch, cancel, on_token
        # A screened tail of the distribution would make a draw depend on how many others there are.
        exact = options.exact or options.temperature > 0
        self._is_sparse = profile is not None
        thresholds = transformer.thresholds(profile) if profile else None
        self._step_options = StepOptions(exact=exact, thresholds=thresholds)
        self._streams: list[list[_Stream]] = []  # of every prompt that was begun
        self._cached: list[int] = []
        self._prompt_tokens: list[int] = []
        self._untold: list[int] = []  # those of which on_done has not heard
        self._computed = 0  # prompt tokens that were not cached
        self._seconds = {
            "prefill": 0.0,
            "decode": 0.0,
        }  # until prompts had their first tokens, and after
        self._decoded = 0  # tokens drawn after those, end tokens included
        self._drafter = drafter
        self._drafted = self._accepted = self._passes = 0

    def run(self) -> list[Generation]:
        """Decodes all prompts; a cancelled request returns what it has so far."""
        waiting = deque(range(len(self._batch.prompts)))
        live: list[_Stream] = []
        try:
            while live or waiting:
                if numbers := self._admitted(waiting, len(live)):
                    with self._timed("prefill"):
                        live += self._begin(numbers)
                else:
                    with self._timed("decode"):
                        live = self._step(live)
                self._tell()
        except Cancelled:
            for stream in chain(*self._streams):
                stream.finish = stream.finish or "cancelled"
        finally:
            for stream in chain(*self._streams):
                self._give_back(stream)
        return self._results()

    @contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        started = time.perf_counter()
        try:
            yield
        finally:
            self._seconds[what] += time.perf_counter() - started

    def _admitted(self, waiting: deque[int], live: int) -> list[int]:
        """The prompts there is room for, taken from those that wait."""
        samples, most = self._options.samples, self._batch.streams
        room = len(waiting) if most is None else max((most - live) // samples, not live)
        return [waiting.popleft() for _ in range(min(room, len(waiting)))]

    def _tell(self) -> None:
        """Says which prompts are finished since it was last asked."""
        if self._batch.on_done is None:
            return
        for number in list(self._untold):
            if all(stream.finish for stream in self._streams[number]):
                self._untold.remove(number)
                self._batch.on_done(number, self._result(number, self._timings()))

    def _forward(self, batch: Ids[tuple[Sequence, Ids[int]]], *, whole: bool = False) -> Logits:
        """The last logits of each; `whole`: exact for unlikely tokens too."""
        options = replace(self._step_options, exact=True) if whole else self._step_options
        return self._model.forward(batch, options=options, cancel=self._cancel)

    def _step(self, live: list[_Stream]) -> list[_Stream]:
        """Draws at least one token for each stream; returns the streams that go on."""
        draft = self._propose(live)
        if draft:
            try:
                return self._verify(live[0], draft)
            except CacheFull:
                self._drafter = None  # one token at a time may still fit
        aligning = any(stream.alignment.remaining for stream in live)
        groups = [list(group) for _, group in groupby(live, lambda stream: id(stream.sequence))]
        batch = [(group[0].sequence, group[0].ids[-1:]) for group in groups]
        logits = self._forward(batch, whole=aligning)
        self._passes += 1
        self._decoded += len(live)
        drawn = zip(groups, logits, strict=True)
        return [stream for group, row in drawn for stream in self._draw(group, row)]

    def _propose(self, live: list[_Stream]) -> list[int]:
        stream = live[0]
        if self._drafter is None or len(live) > 1 or stream.alignment.remaining:
            return []
        computed = stream.sequence.tokens
        left = self._options.max_tokens - len(stream.ids)
        room = min(left, EXACT_ROWS, self._model.context_length - len(computed))
        if room <= 1:
            return []
        return self._drafter.propose([*computed, stream.ids[-1]], room - 1, stream.sequence)

    def _verify(self, stream: _Stream, draft: list[int]) -> list[_Stream]:
        """Draws from a row behind each right guess and forgets the keys and values of the rest."""
        sequence, before = stream.sequence, len(stream.ids)
        computed, drawn = len(sequence.tokens), 0
        fed = [stream.ids[-1], *draft]
        logits = self._model.forward(
            [(sequence, fed)], logits="all", options=self._step_options, cancel=self._cancel
        )
        try:
            for row, guess in zip(logits, [*draft, None], strict=True):
                self._draw_one(stream, row, self._log_sum(row))
                drawn += 1
                if stream.finish or stream.ids[-1] != guess:
                    break
        finally:
            self._model.cache.truncate(sequence, computed + max(drawn, 1))
        right = sum(map(int.__eq__, draft, stream.ids[before:]))
        assert self._drafter is not None
        self._drafter.accepted(right)
        self._passes += 1
        self._decoded += drawn
        self._drafted += len(draft)
        self._accepted += right
        return [] if stream.finish else [stream]

    def _begin(self, numbers: Ids[int]) -> list[_Stream]:
        live: list[_Stream] = []
        covered: list[Covered[_Stream]] = []
        for streams, row in self._read(numbers):
            first = streams[0]
            given = first.alignment.remaining if self._options.alignment == "tree" else b""
            tree = CoveringTree(self._tokenizer, first.sequence, given)
            if tree.is_possible:
                tree.add(tree.root, row)
                covered.append((tree, streams, self._seed(first.prompt)))
            else:
                live += self._draw(streams, row)
        forward = partial(self._forward, whole=True)
        for stream, leaf in cover(covered, self._options, forward, self._model.cache):
            for token in leaf.ids:
                if not stream.finish:
                    self._take(stream, token, leaf.logprob)
            live += [] if stream.finish else [stream]
        return live

    def _read(self, numbers: Ids[int]) -> Iterator[tuple[list[_Stream], Logits]]:
        """Each prompt's streams and last logits; those with little to compute go together."""
        prompts = [self._batch.prompts[number] for number in numbers]
        for group in self._model.cache.grouped(prompts, EXACT_ROWS):
            begun = [self._start(numbers[i]) for i in group]
            firsts = [streams[0] for streams in begun]
            batch = [
                (s.sequence, self._batch.prompts[s.prompt][len(s.sequence.tokens) :])
                for s in firsts
            ]
            logits = self._forward(batch, whole=any(s.alignment.remaining for s in firsts))
            self._computed += sum(len(rest) for _, rest in batch)
            yield from zip(begun, logits, strict=True)

    def _start(self, number: int) -> list[_Stream]:
        """The prompt's streams, all on one sequence."""
        prompt, aligns = self._batch.prompts[number], self._batch.aligns
        sequence = self._model.cache.start(prompt)
        if self._is_sparse:
            sequence.sparse_from = max(len(prompt) + DENSE_TOKENS, SINK_TOKENS)
        alignment = Alignment(self._tokenizer, aligns[number] if aligns else b"")
        samples = range(self._options.samples)
        streams = [_Stream(number, n, sequence, alignment.fork()) for n in samples]
        self._streams.append(streams)
        self._untold.append(number)
        self._prompt_tokens.append(len(prompt))
        self._cached.append(len(sequence.tokens))
        return streams

    def _draw(self, streams: list[_Stream], row: Logits) -> list[_Stream]:
        """Draws one token for each stream of a sequence; returns those that go on.

        Streams that drew the same one follow one another, and share a sequence still.
        """
        log_sum, sequence = self._log_sum(row), streams[0].sequence
        parts: dict[int, list[_Stream]] = {}
        for stream in streams:
            self._draw_one(stream, row, log_sum)
            if not stream.finish:
                parts.setdefault(stream.ids[-1], []).append(stream)
        for part in list(parts.values())[1:]:
            own = self._model.cache.fork(sequence)
            for stream in part:
                stream.sequence = own
        if not parts:  # its pages may be wanted before the others are done
            self._give_back(streams[0])
        return [stream for part in parts.values() for stream in part]

    def _give_back(self, stream: _Stream) -> None:
        """Gives the pages of its sequence back; those of a prompt's first sample stay known."""
        is_first = self._streams[stream.prompt][0].sequence is stream.sequence
        self._model.cache.finish(stream.sequence, remember=is_first)

    @staticmethod
    def _log_sum(row: Logits) -> float:
        log_sum = kernels.log_sum_exp(row)
        if not math.isfinite(log_sum):
            raise MidlineError(
                "the model's output is not numbers: its file is damaged, pull it again"
            )
        return log_sum

    def _draw_one(self, stream: _Stream, row: Logits, log_sum: float) -> None:
        if self._cancel is not None and self._cancel.is_set():
            raise Cancelled
        o, seed = self._options, self._seed(stream.prompt)
        temperature = 0.0 if o.greedy_first and stream.sample == 0 else o.temperature
        token, logprob = kernels.choose(
            row, log_sum, temperature=temperature, top_p=o.top_p, min_p=o.min_p, seed=seed,
            sample=stream.sample, position=len(stream.ids), allowed=stream.alignment.allowed(),
        )  # fmt: skip
        self._take(stream, token, logprob)

    def _seed(self, prompt: int) -> int:
        return self._batch.seeds[prompt] if self._batch.seeds else self._options.seed

    def _take(self, stream: _Stream, token: int, logprob: float) -> None:
        if token in self._tokenizer.end_tokens:
            stream.finish = "stop"
            return
        given_back = len(stream.alignment.remaining)
        stream.alignment.consume(token)
        stream.ids.append(token)
        if not given_back or len(self._tokenizer.token_bytes(token)) > given_back:
            stream.logprobs.append(logprob)
        if self._on_token:
            self._on_token(stream.sample, token)
        if self._wants_stop(stream):
            stream.finish = "stop"
        elif self._is_long_enough(stream):
            stream.finish = "length"

    def _is_long_enough(self, stream: _Stream) -> bool:
        o, count = self._options, len(stream.ids)
        room = self._model.context_length - self._prompt_tokens[stream.prompt]
        circles = o.max_repeats > 0 and repeats(stream.ids, o.max_repeats)
        return count >= min(o.max_tokens, room) or circles

    def _wants_stop(self, stream: _Stream) -> bool:
        stops = self._batch.stops
        if not stops or stream.alignment.remaining:
            return False
        return stops[stream.prompt](stream.sample, stream.ids)

    def _results(self) -> list[Generation]:
        timings, begun = self._timings(), len(self._streams)
        results = [self._result(number, timings) for number in range(begun)]
        for _ in self._batch.prompts[begun:]:  # cancelled before they were begun
            results.append(Generation([], 0, 0, timings))
        return results

    def _result(self, number: int, timings: Timings) -> Generation:
        completions = [self._completion(stream) for stream in self._streams[number]]
        known = self._prompt_tokens[number], self._cached[number]
        drafts = self._drafted, self._accepted, self._passes
        return Generation(completions, *known, timings, *drafts)

    def _timings(self) -> Timings:
        prefill, decode = self._seconds["prefill"], self._seconds["decode"]
        return Timings(
            load_ms=0.0,
            prefill_ms=prefill * 1e3,
            decode_ms=decode * 1e3,
            prefill_tokens_per_second=_rate(self._computed, prefill),
            decode_tokens_per_second=_rate(self._decoded, decode),
        )

    def _completion(self, stream: _Stream) -> Completion:
        mean = sum(stream.logprobs) / len(stream.logprobs) if stream.logprobs else 0.0
        text = self._tokenizer.decode(stream.ids)
        return Completion(stream.ids, text, mean, mean, stream.finish)


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0
