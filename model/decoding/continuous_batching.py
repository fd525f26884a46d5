"""Continuous batching: completions of several prompts and samples, decoded together.

The samples of a prompt share its keys and values: they are computed once, and whole blocks of 256
tokens are read once a step for all samples (bifurcated attention, arXiv 2403.08845). Samples that
have drawn the same tokens so far share one sequence and one row of a step. The next prompt begins
when another has made room for it, and requests may join between any two steps (continuous batching,
Orca, OSDI 2022).

Random numbers depend on seed, sample and position only, and no bit of a row depends on the other
rows, so that a completion is the same alone and in any batch.
"""

import math
from collections import deque
from collections.abc import Iterator
from collections.abc import Sequence as Ids
from dataclasses import replace
from functools import partial
from itertools import chain, groupby

import numpy as np

from midline import kernels
from midline.model.cancellation import Cancelled
from midline.model.decoding.alignment.covering_tree import Covered, CoveringTree, cover
from midline.model.decoding.alignment.token_healing import Alignment
from midline.model.decoding.batch import Batch, Stream
from midline.model.decoding.options import NativeOptions, SamplingOptions
from midline.model.decoding.request import Completion, DrawnToken, Generation, Request, Timings
from midline.model.decoding.speculative.prompt_lookup import Drafter
from midline.model.decoding.stopwatch import Stopwatch
from midline.model.errors import MidlineError
from midline.model.runtime.decoder import EXACT_ROWS, Decoder, Logits, StepOptions
from midline.model.runtime.kv_cache import NEVER, CacheFull, Sequence
from midline.model.teal.profile import Profile
from midline.model.tokenizer.tokenizer import Tokenizer

DENSE_TOKENS = 4
"""Number of first generated tokens that stay dense in sparse decoding, since the rest of a
completion depends on them most."""
SINK_TOKENS = 16
"""Positions at the beginning of a sequence that stay dense: all later tokens attend to them
(attention sinks, arXiv 2309.17453)."""


class Decoding:
    """One batch, from prefill to the end of its last completion. It is run once.

    It owns the streams and their sequences; the caller owns the decoder, and lends it for the time
    of `run`. The drafter proposes tokens while there is a single stream; speculation is off in
    batches. Steps of up to EXACT_ROWS rows verify drafts, so that accepted tokens are those that
    would have been drawn one by one.
    """

    def __init__(
        self,
        decoder: Decoder,
        tokenizer: Tokenizer,
        options: SamplingOptions,
        batch: Batch,
        *,
        drafter: Drafter | None = None,
        profile: Profile | None = None,
    ) -> None:
        self._model, self._tokenizer, self._options = decoder, tokenizer, options
        self._batch, self._requests, self._cancel = batch, list(batch.requests), batch.cancel
        self._native = options.of_engine(NativeOptions)
        self._thresholds = decoder.thresholds(profile) if profile else None
        self._step_options = StepOptions(exact=self._native.exact, thresholds=self._thresholds)
        self._streams: list[list[Stream]] = []  # of every prompt that was begun
        self._cached: list[int] = []
        self._prompt_tokens: list[int] = []
        self._unreported: list[int] = []  # prompts not yet reported to on_done
        self._watch = Stopwatch(batch.breaks)
        self._drafter = drafter
        self._drafted = self._accepted = self._passes = 0

    def run(self) -> list[Generation]:
        """Decodes all requests; if cancelled, returns what there is so far."""
        waiting = deque(range(len(self._requests)))
        live: list[Stream] = []
        try:
            while self._join(waiting) or live or waiting:
                if numbers := self._admitted(waiting, len(live)):
                    with self._watch.timed("prefill"):
                        live += self._begin(numbers)
                else:
                    with self._watch.timed("decode"):
                        live = self._step(live)
                self._report()
        except Cancelled:
            for stream in chain(*self._streams):
                stream.finish = stream.finish or "cancelled"
        finally:
            for stream in chain(*self._streams):
                self._release(stream)
        return self._results()

    def _join(self, waiting: deque[int]) -> bool:
        """Takes in the requests that came since the last step; whether there were any."""
        joining = self._batch.more() if self._batch.more else ()
        waiting.extend(range(len(self._requests), len(self._requests) + len(joining)))
        self._requests += joining
        return len(joining) > 0

    def _admitted(self, waiting: deque[int], live: int) -> list[int]:
        """Takes the prompts that there is room for from those that wait."""
        samples, most = self._options.samples, self._batch.streams
        room = len(waiting) if most is None else max((most - live) // samples, not live)
        return [waiting.popleft() for _ in range(min(room, len(waiting)))]

    def _report(self) -> None:
        """Calls on_done for the prompts that were finished since the last report."""
        if self._batch.on_done is None:
            return
        for number in list(self._unreported):
            if all(stream.finish for stream in self._streams[number]):
                self._unreported.remove(number)
                self._batch.on_done(number, self._result(number, self._watch.timings()))

    def _forward(self, batch: Ids[tuple[Sequence, Ids[int]]], *, whole: bool = False) -> Logits:
        """Logits after each sequence, float32 [batch, vocab]; none is screened with `whole`."""
        self._watch.take_break()
        options = replace(self._step_options, exact=True) if whole else self._step_options
        return self._model.forward(batch, options=options, cancel=self._cancel)

    def _step(self, live: list[Stream]) -> list[Stream]:
        """Draws at least one token for each stream; the streams that go on."""
        for stream in live:
            if stream.is_given_up:
                stream.finish = "cancelled"
                self._release(stream)
        live = [stream for stream in live if not stream.finish]
        if not live:
            return []
        draft = self._propose(live)
        if draft:
            try:
                return self._verify(live[0], draft)
            except CacheFull:
                self._drafter = None  # one token at a time may still fit
        whole = any(stream.needs_all_logits for stream in live)
        groups = [list(group) for _, group in groupby(live, lambda stream: id(stream.sequence))]
        batch = [(group[0].sequence, group[0].ids[-1:]) for group in groups]
        logits = self._forward(batch, whole=whole)
        self._passes += 1
        self._watch.decoded += len(live)
        drawn = zip(groups, logits, strict=True)
        return [stream for group, row in drawn for stream in self._draw(group, row)]

    def _propose(self, live: list[Stream]) -> list[int]:
        stream = live[0]
        # A drafter knows one text: that of the first request, whatever has joined and left since.
        if (
            self._drafter is None
            or len(live) > 1
            or stream.prompt > 0
            or stream.alignment.remaining
        ):
            return []
        computed = stream.sequence.tokens
        left = stream.options.max_tokens - len(stream.ids)
        room = min(left, EXACT_ROWS, self._model.context_length - len(computed))
        if room <= 1:
            return []
        return self._drafter.propose([*computed, stream.ids[-1]], room - 1, stream.sequence)

    def _verify(self, stream: Stream, draft: list[int]) -> list[Stream]:
        """Verifies a draft in one step, and removes its wrong end from the KV cache."""
        sequence, before = stream.sequence, len(stream.ids)
        computed, drawn = len(sequence.tokens), 0
        self._watch.take_break()
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
        self._watch.decoded += drawn
        self._drafted += len(draft)
        self._accepted += right
        return [] if stream.finish else [stream]

    def _begin(self, numbers: Ids[int]) -> list[Stream]:
        live: list[Stream] = []
        covered: list[Covered[Stream]] = []
        for streams, row in self._prefill(numbers):
            first = streams[0]
            align = first.alignment.remaining if self._native.alignment == "tree" else b""
            tree = CoveringTree(self._tokenizer, first.sequence, align)
            if tree.is_possible:
                tree.add(tree.root, row)
                covered.append((tree, streams, first.options))
            else:
                live += self._draw(streams, row)
        forward = partial(self._forward, whole=True)
        for stream, leaf in cover(covered, forward, self._model.cache):
            conditional = [0.0] * len(leaf.node.ids) + [leaf.conditional_logprob]
            for token, logprob, given in zip(leaf.ids, leaf.logprobs, conditional, strict=True):
                if not stream.finish:
                    self._take(stream, token, logprob, given, math.nan)
            live += [] if stream.finish else [stream]
        return live

    def _prefill(self, numbers: Ids[int]) -> Iterator[tuple[list[Stream], Logits]]:
        """Each prompt's streams and its last logits. Short remainders share a step."""
        prompts = [self._requests[number].prompt for number in numbers]
        for group in self._model.cache.grouped(prompts, EXACT_ROWS):
            begun = [self._start(numbers[i]) for i in group]
            begun = [streams for streams in begun if not streams[0].finish]
            if not begun:
                continue
            firsts = [streams[0] for streams in begun]
            batch = [(s.sequence, self._remainder(s)) for s in firsts]
            logits = self._forward(batch, whole=any(s.needs_all_logits for s in firsts))
            self._watch.computed += sum(len(rest) for _, rest in batch)
            yield from zip(begun, logits, strict=True)

    def _remainder(self, stream: Stream) -> Ids[int]:
        """The end of a prompt that is still to be computed.

        That is all of it that is not cached; but of a resumed completion, prompt and tokens are
        computed here in steps of the sizes that they had the first time, for the same bits, except
        for the last step. Between breaks, no more is computed than these allow.
        """
        prompt, sequence = self._requests[stream.prompt].prompt, stream.sequence
        whole = [*prompt, *stream.ids] if stream.ids else prompt
        ends = self._breaks_within(len(sequence.tokens), len(prompt))
        if stream.ids:
            ends += [len(prompt), *range(len(prompt) + EXACT_ROWS, len(whole), EXACT_ROWS)]
        for end in ends:
            piece = whole[len(sequence.tokens) : end]
            if piece:
                self._watch.take_break()
                self._model.forward(
                    [(sequence, piece)], logits="none", options=self._step_options,
                    cancel=self._cancel,
                )  # fmt: skip
                self._watch.computed += len(piece)
        return whole[len(sequence.tokens) :]

    def _breaks_within(self, start: int, end: int) -> list[int]:
        """Positions of a prompt at which there is a break, between two others."""
        most = self._batch.breaks.step_tokens if self._batch.breaks else None
        return list(range(start + most, end, most)) if most else []

    def _start(self, number: int) -> list[Stream]:
        """The prompt's streams, all on one sequence."""
        request = self._requests[number]
        resumed = request.resume.ids if request.resume else []
        whole = [*request.prompt, *resumed]
        sequence = self._model.cache.start(whole, *self._sparsity_of(request))
        alignment = Alignment(self._tokenizer, request.align)
        options = request.options or self._options
        if request.seed is not None:
            options = replace(options, seed=request.seed)
        streams = [
            Stream(number, n, sequence, alignment.fork(), options, request.cancel)
            for n in range(options.samples)
        ]
        if request.resume:
            self._resume(streams[0], request.resume)
        self._streams.append(streams)
        self._unreported.append(number)
        self._prompt_tokens.append(len(whole))
        self._cached.append(len(sequence.tokens))
        return streams

    def _sparsity_of(self, request: Request) -> tuple[int, kernels.Thresholds | None]:
        """Position and thresholds from which a request is decoded sparsely."""
        if self._thresholds is None:
            return NEVER, None
        start = request.sparse_from
        start = len(request.prompt) + DENSE_TOKENS if start is None else start
        return max(start, SINK_TOKENS), self._thresholds

    def _resume(self, stream: Stream, completion: Completion) -> None:
        """Takes over the tokens of an earlier completion, which may be long enough already."""
        logprobs = completion.logprobs or [math.nan] * len(completion.ids)
        for token, logprob in zip(completion.ids, logprobs, strict=True):
            stream.append(token, logprob, len(self._tokenizer.token_bytes(token)))
        if stream.ids and stream.is_long_enough(self._room(stream)):
            stream.finish = "length"

    def _draw(self, streams: list[Stream], row: Logits) -> list[Stream]:
        """Draws one token for each stream of a sequence; the streams that go on.

        Those that drew the same token come next to each other and still share a sequence.
        """
        log_sum, sequence = self._log_sum(row), streams[0].sequence
        parts: dict[int, list[Stream]] = {}
        for stream in streams:
            self._draw_one(stream, row, log_sum)
            if not stream.finish:
                parts.setdefault(stream.ids[-1], []).append(stream)
        for part in list(parts.values())[1:]:
            own = self._model.cache.fork(sequence)
            for stream in part:
                stream.sequence = own
        if not parts:  # other prompts may need its pages now
            self._release(streams[0])
        return [stream for part in parts.values() for stream in part]

    def _release(self, stream: Stream) -> None:
        """Ends the stream's sequence; the tokens of a prompt's first sample stay known."""
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

    def _draw_one(self, stream: Stream, row: Logits, log_sum: float) -> None:
        if self._cancel is not None and self._cancel.is_set():
            raise Cancelled
        o = stream.options
        temperature = 0.0 if o.greedy_first and stream.sample == 0 else o.temperature
        token, logprob = kernels.choose(
            row, log_sum, temperature=temperature, top_p=o.top_p, min_p=o.min_p, seed=o.seed,
            sample=stream.sample, position=len(stream.ids), allowed=stream.alignment.allowed(),
        )  # fmt: skip
        margin = _margin(row, token) if self._batch.on_token else math.nan
        self._take(stream, token, logprob, logprob, margin)

    def _take(
        self, stream: Stream, token: int, logprob: float, conditional: float, margin: float
    ) -> None:
        """Adds a drawn token to a completion, and finishes it if it is over."""
        if token in self._tokenizer.end_tokens:
            _finish(stream, "stop", self._requests[stream.prompt])
            return
        stream.append(token, logprob, len(self._tokenizer.token_bytes(token)))
        if self._batch.on_token:
            drawn = DrawnToken(stream.prompt, stream.sample, token, logprob, conditional, margin)
            self._batch.on_token(drawn)
        if self._wants_stop(stream):
            _finish(stream, "stop", self._requests[stream.prompt])
        elif stream.is_long_enough(self._room(stream)):
            _finish(stream, "length", self._requests[stream.prompt])

    def _room(self, stream: Stream) -> int:
        """Most tokens that the context leaves for a completion."""
        return self._model.context_length - len(self._requests[stream.prompt].prompt)

    def _wants_stop(self, stream: Stream) -> bool:
        stop = self._requests[stream.prompt].stop
        if stop is None or stream.alignment.remaining:
            return False
        return stop(stream.sample, stream.ids)

    def _results(self) -> list[Generation]:
        timings, begun = self._watch.timings(), len(self._streams)
        results = [self._result(number, timings) for number in range(begun)]
        for _ in self._requests[begun:]:  # cancelled before they were begun
            results.append(Generation([], 0, 0, timings))
        return results

    def _result(self, number: int, timings: Timings) -> Generation:
        completions = [self._completion(stream) for stream in self._streams[number]]
        known = self._prompt_tokens[number], self._cached[number]
        drafts = self._drafted, self._accepted, self._passes
        return Generation(completions, *known, timings, *drafts)

    def _completion(self, stream: Stream) -> Completion:
        counted = stream.logprobs[stream.repeated :]
        mean = sum(counted) / len(counted) if counted else 0.0
        text = self._tokenizer.decode(stream.ids)
        return Completion(stream.ids, text, mean, mean, stream.finish, stream.logprobs)


def _finish(stream: Stream, reason: str, request: Request) -> None:
    stream.finish = reason
    if request.on_end is not None:
        request.on_end(stream.sample, stream.ids)


def _margin(row: Logits, token: int) -> float:
    """The logit of `token` less the highest logit of any other."""
    others = row[:token].max(initial=-np.inf), row[token + 1 :].max(initial=-np.inf)
    return float(row[token]) - float(max(others))
