"""An engine that keeps what a model has drawn, so that rules can be changed without the model.

Kept are the tokens of every sample and whether a rule ended them, by prompt and options. A rule
that ends a sample earlier cuts what was kept; where one would go on, the request is drawn again.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from midline.benchmarks.quality.answers import Answers, question
from midline.benchmarks.quality.known_ids import beginnings
from midline.model.cancellation import Cancellation
from midline.model.engines.base import (
    GREEDY,
    Completion,
    Engine,
    Generation,
    More,
    OnDone,
    OnToken,
    Request,
    SamplingOptions,
    Stop,
    Timings,
)

MOST_HEALED = 4
"""How far the limit of tokens may differ between batches, which add what they heal."""
_NO_TIME = Timings(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class _Sample:
    """A sample as it was drawn: ids, natural log-probabilities, its mean and score, why it ended,
    and whether a rule of the request ended it.
    """

    ids: list[int]
    logprobs: list[float]
    mean: float
    score: float
    reason: str
    by_rule: bool


class DrawnEngine(Engine):
    """`engine`, with everything that it draws kept in `answers`."""

    def __init__(self, engine: Engine, answers: Answers) -> None:
        self.engine, self.answers = engine, answers
        self.kind, self.name, self.tokenizer = engine.kind, engine.name, engine.tokenizer
        self.load_ms, self.context_length = engine.load_ms, engine.context_length
        self.capabilities = engine.capabilities
        self.drawn = 0
        """Requests that were computed."""

    def batch(
        self,
        requests: Sequence[Request],
        options: SamplingOptions = GREEDY,
        *,
        cancel: Cancellation | None = None,
        on_token: OnToken | None = None,
        on_done: OnDone | None = None,
        streams: int | None = None,
        more: More | None = None,
    ) -> list[Generation]:
        """See `Engine`; callbacks for tokens are not called."""
        self.check_joining(requests, more)
        keys = [self._key(request, options) for request in requests]
        replays = [_Replay(self, request, options) for request in requests]
        found = [
            replay.of(self.answers.get(key)) for key, replay in zip(keys, replays, strict=True)
        ]
        missing = [number for number, samples in enumerate(found) if samples is None]
        if missing:
            asked = [replays[number].request() for number in missing]
            generations = self.engine.batch(asked, options, cancel=cancel, streams=streams)
            self.drawn += len(missing)
            for number, generation in zip(missing, generations, strict=True):
                samples = replays[number].samples(generation)
                if all(sample.reason != "cancelled" for sample in samples):
                    self.answers.add(keys[number], _as_text(samples, options))
                found[number] = samples
        results = [
            Generation([self._completion(s) for s in samples or ()], len(r.prompt), 0, _NO_TIME)
            for r, samples in zip(requests, found, strict=True)
        ]
        for number, result in enumerate(results if on_done else ()):
            assert on_done is not None
            on_done(number, result)
        return results

    def close(self) -> None:
        """See `Engine`."""
        self.engine.close()

    def _key(self, request: Request, options: SamplingOptions) -> str:
        asked = tuple(request.prompt), request.align, replace(options, max_tokens=0)
        return question("drawn", self.name, *asked, request.seed, request.resume)

    def _completion(self, sample: _Sample) -> Completion:
        text = self.tokenizer.decode(sample.ids)
        return Completion(
            sample.ids, text, sample.mean, sample.score, sample.reason, sample.logprobs
        )


class _Replay:
    """One request, with the samples of it that are known."""

    def __init__(self, engine: DrawnEngine, request: Request, options: SamplingOptions) -> None:
        self._tokenizer, self._request, self._options = engine.tokenizer, request, options
        self._asked: dict[int, int] = {}
        """By sample: up to how many ids `Request.stop` was asked and let it go on."""
        self._ended: dict[int, int] = {}
        """By sample: how many ids it had when a rule ended it."""

    def of(self, known: str | None) -> list[_Sample] | None:
        """The samples under the rules of now; None where they have to be drawn."""
        if known is None:
            return None
        most, rows = json.loads(known)
        found = [self._cut(number, _Sample(*row)) for number, row in enumerate(rows)]
        is_whole = most >= self._options.max_tokens - MOST_HEALED
        usable = all(s.reason != "length" or is_whole for s in found)
        usable &= all(not s.by_rule or n in self._ended for n, s in enumerate(found))
        return found if usable else None

    def _cut(self, number: int, sample: _Sample) -> _Sample:
        """A sample up to where a rule ends it."""
        stop = self._request.stop
        for ids, is_asked in beginnings(self._tokenizer, self._request, sample.ids):
            count = len(ids)
            if stop and is_asked and stop(number, ids):
                self._ended[number] = count
                kept = sample.logprobs[:count]
                if count == len(sample.ids) and sample.by_rule:
                    return sample
                mean = sum(kept) / max(1, len(kept))
                return _Sample(ids, kept, mean, mean, "stop", True)
            self._asked[number] = count
        return sample

    def request(self) -> Request:
        """The request, whose rule is not asked again what it was asked of what is known."""
        stop = self._request.stop
        return replace(self._request, stop=None if stop is None else self._noting(stop))

    def _noting(self, stop: Stop) -> Stop:
        def ends(sample: int, ids: list[int]) -> bool:
            if sample in self._ended:
                return len(ids) >= self._ended[sample]
            if len(ids) <= self._asked.get(sample, 0) or not stop(sample, ids):
                return False
            self._ended[sample] = len(ids)
            return True

        return ends

    def samples(self, generation: Generation) -> list[_Sample]:
        """What was drawn, with what ended it."""
        return [
            _Sample(
                list(completion.ids),
                [round(value, 5) for value in completion.logprobs],
                completion.mean_logprob,
                completion.score,
                completion.finish_reason,
                number in self._ended,
            )
            for number, completion in enumerate(generation.completions)
        ]


def _as_text(samples: Sequence[_Sample], options: SamplingOptions) -> str:
    rows = [[s.ids, s.logprobs, s.mean, s.score, s.reason, s.by_rule] for s in samples]
    return json.dumps([options.max_tokens, rows])
