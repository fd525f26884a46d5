"""Drawing tokens: one stream for each sample of each prompt, all decoded together.

The shared prompt is computed once and read once a step whatever the number of samples (bifurcated
attention, arXiv 2403.08845). Random numbers depend on seed, sample and position only, so a sample
does not depend on the number of others. Streams share a sequence, and a row of each step, until
they draw different tokens.
"""

import math
import time
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Ids
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import groupby
from typing import Literal

from midline import kernels
from midline.model.alignment import Alignment
from midline.model.covering_tree import Covered, CoveringTree, cover
from midline.model.drafting import Drafter
from midline.model.errors import MidlineError, UsageError
from midline.model.generation import Completion, Generation, Timings
from midline.model.kv_cache import CacheFull, Sequence
from midline.model.policy import DRAFTS, Draft
from midline.model.repetition import repeats
from midline.model.sparsity import Profile, check_level
from midline.model.tokenizer import Tokenizer
from midline.model.transformer import (
    EXACT_ROWS,
    Cancellation,
    Cancelled,
    Logits,
    StepOptions,
    Transformer,
)

MAX_SAMPLES = 64
Stop = Callable[[int, list[int]], bool]
OnToken = Callable[[int, int], None]
DENSE_TOKENS = 4
"""Generated tokens that are dense for all that: the first ones decide the most."""
SINK_TOKENS = 16
"""So are a sequence's first tokens, which all later ones attend to."""


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """How to draw: temperature 0 is greedy; top_p 1 and min_p 0 switch those filters off.

    exact computes the whole output matrix where greedy decoding would screen it; random draws never
    do. sparsity is the share of weights skipped in decoding one sample of a prompt, whatever other
    prompts are decoded beside it; several samples are dense, since together they need all weights.
    draft says who guesses tokens ahead where one prompt is decoded greedily to one sample: lookup
    in the text, the model itself, sparse, where decoding is not sparse anyway, or both, each where
    it promises to pay; "self" alone always does. None for either is the model's own `Policy`. The
    output is that of drawing one by one: to the bit with exact; without, wherever the screen, which
    passes of several rows do not need, does not miss the likeliest token, and log-probabilities are
    nearer the exact ones. alignment says how the bytes given back by `align` are written again:
    token by token among those that agree, or by whole ways of writing them (`covering_tree`).

    With greedy_first sample 0 is greedy whatever the temperature. max_repeats ends a sample whose
    last tokens are the same cycle that many times over (`repetition`); 0 lets it go on.
    """

    samples: int = 1
    max_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = 0
    exact: bool = False
    sparsity: float | None = 0.0
    draft: Draft | None = None
    alignment: Literal["tokens", "tree"] = "tree"
    greedy_first: bool = False
    max_repeats: int = 0

    def check(self) -> None:
        """Raises UsageError naming the first value that is out of range."""
        in_range = {
            "samples": 1 <= self.samples <= MAX_SAMPLES,
            "max_tokens": self.max_tokens >= 1,
            "temperature": math.isfinite(self.temperature) and 0 <= self.temperature <= 100,
            "top_p": 0 < self.top_p <= 1,
            "min_p": 0 <= self.min_p <= 1,
            "seed": 0 <= self.seed < 2**63,
            "draft": self.draft is None or self.draft in DRAFTS,
            "alignment": self.alignment in ("tokens", "tree"),
            "max_repeats": self.max_repeats == 0 or self.max_repeats > 1,
        }
        limits = {
            "samples": f"between 1 and {MAX_SAMPLES}",
            "max_tokens": "at least 1",
            "temperature": "between 0 and 100",
            "top_p": "above 0 and at most 1",
            "min_p": "between 0 and 1",
            "seed": "a number from 0 to 2^63 - 1",
            "draft": "lookup, self, both or none",
            "alignment": "tokens or tree",
            "max_repeats": "0 or at least 2",
        }
        for name, ok in in_range.items():
            if not ok:
                raise UsageError(f"{name} is {getattr(self, name)}, it must be {limits[name]}")
        check_level(self.sparsity or 0.0)


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
        *,
        cancel: Cancellation | None,
        stop: Stop | None,
        stops: Ids[Stop] | None,
        on_token: OnToken | None,
        drafter: Drafter | None = None,
        profile: Profile | None = None,
    ) -> None:
        self._model, self._tokenizer, self._options = transformer, tokenizer, options
        self._cancel, self._stop, self._stops, self._on_token = cancel, stop, stops, on_token
        # A screened tail of the distribution would make a draw depend on how many others there are.
        exact = options.exact or options.temperature > 0
        self._is_sparse = profile is not None and options.samples == 1
        thresholds = transformer.thresholds(profile) if profile and self._is_sparse else None
        self._step_options = StepOptions(exact=exact, thresholds=thresholds)
        self._streams: list[_Stream] = []
        self._cached: list[int] = []
        self._prompt_tokens: list[int] = []
        self._computed = 0  # prompt tokens that were not cached
        self._started = time.perf_counter()
        self._prefilled: float | None = None  # when all prompts had their first token
        self._decoded = 0  # tokens drawn after that, end tokens included
        self._drafter = drafter
        self._drafted = self._accepted = self._passes = 0

    def run(self, prompts: Ids[Ids[int]], aligns: Ids[bytes]) -> list[Generation]:
        """Decodes all prompts together; a cancelled request returns what it has so far."""
        try:
            live = self._begin(prompts, aligns)
            self._prefilled = time.perf_counter()
            while live:
                live = self._step(live)
        except Cancelled:
            for stream in self._streams:
                stream.finish = stream.finish or "cancelled"
        finally:
            for stream in self._streams:
                self._give_back(stream.sequence)
        return self._results(len(prompts))

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

    def _begin(self, prompts: Ids[Ids[int]], aligns: Ids[bytes]) -> list[_Stream]:
        live: list[_Stream] = []
        covered: list[Covered[_Stream]] = []
        for streams, row in self._read(prompts, aligns):
            first = streams[0]
            given = first.alignment.remaining if self._options.alignment == "tree" else b""
            tree = CoveringTree(self._tokenizer, first.sequence, given)
            if tree.is_possible:
                tree.add(tree.root, row)
                covered.append((tree, streams))
            else:
                live += self._draw(streams, row)
        forward = partial(self._forward, whole=True)
        for stream, leaf in cover(covered, self._options, forward, self._model.cache):
            for token in leaf.ids:
                if not stream.finish:
                    self._take(stream, token, leaf.logprob)
            live += [] if stream.finish else [stream]
        return live

    def _read(
        self, prompts: Ids[Ids[int]], aligns: Ids[bytes]
    ) -> Iterator[tuple[list[_Stream], Logits]]:
        """Each prompt's streams and last logits; those with little to compute go together."""
        for group in self._model.cache.grouped(prompts, EXACT_ROWS):
            begun = [self._start(i, prompts[i], aligns[i]) for i in group]
            firsts = [streams[0] for streams in begun]
            batch = [(s.sequence, prompts[s.prompt][len(s.sequence.tokens) :]) for s in firsts]
            logits = self._forward(batch, whole=any(s.alignment.remaining for s in firsts))
            self._computed += sum(len(rest) for _, rest in batch)
            yield from zip(begun, logits, strict=True)

    def _start(self, number: int, prompt: Ids[int], align: bytes) -> list[_Stream]:
        """The prompt's streams, all on one sequence."""
        sequence = self._model.cache.start(prompt)
        if self._is_sparse:
            sequence.sparse_from = max(len(prompt) + DENSE_TOKENS, SINK_TOKENS)
        alignment = Alignment(self._tokenizer, align)
        samples = range(self._options.samples)
        streams = [_Stream(number, n, sequence, alignment.fork()) for n in samples]
        self._streams += streams
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
            self._give_back(sequence)
        return [stream for part in parts.values() for stream in part]

    def _give_back(self, sequence: Sequence) -> None:
        is_first = any(s.sequence is sequence and s.sample == 0 for s in self._streams)
        self._model.cache.finish(sequence, remember=is_first)

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
        o = self._options
        temperature = 0.0 if o.greedy_first and stream.sample == 0 else o.temperature
        token, logprob = kernels.choose(
            row, log_sum, temperature=temperature, top_p=o.top_p, min_p=o.min_p, seed=o.seed,
            sample=stream.sample, position=len(stream.ids), allowed=stream.alignment.allowed(),
        )  # fmt: skip
        self._take(stream, token, logprob)

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
        stop = self._stops[stream.prompt] if self._stops else self._stop
        return bool(stop and not stream.alignment.remaining and stop(stream.sample, stream.ids))

    def _results(self, prompts: int) -> list[Generation]:
        timings = self._timings()
        results = []
        for i in range(len(self._prompt_tokens)):
            completions = [self._completion(s) for s in self._streams if s.prompt == i]
            known = self._prompt_tokens[i], self._cached[i]
            drafts = self._drafted, self._accepted, self._passes
            results.append(Generation(completions, *known, timings, *drafts))
        for _ in range(prompts - len(results)):  # cancelled before they were begun
            results.append(Generation([], 0, 0, timings))
        return results

    def _timings(self) -> Timings:
        ended = time.perf_counter()
        prefilled = self._prefilled or ended
        prefill, decode = prefilled - self._started, ended - prefilled
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
