"""An engine that keeps its greedy completions in a file, and writes a known one without computing.

What counts as cached does not depend on what is in the file: prompts are noted as they are asked
for, so that a run that finds all its answers asks the same questions as the one that computed them.
"""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from midline.benchmarks.quality.answers import Answers, question
from midline.benchmarks.quality.known_ids import beginnings
from midline.model.cancellation import Cancellation
from midline.model.engines.base import (
    GREEDY,
    Completion,
    DrawnToken,
    Engine,
    Generation,
    More,
    OnDone,
    OnToken,
    Prefill,
    Request,
    SamplingOptions,
    Timings,
)

_REMEMBERED_PROMPTS = 32
_NO_TIME = Timings(0.0, 0.0, 0.0, 0.0, 0.0)


@dataclass(frozen=True)
class _Drawn:
    """A completion as it was drawn: ids, natural log-probabilities, and why it ended."""

    ids: list[int]
    logprobs: list[float]
    conditional: list[float]
    reason: str

    def as_text(self) -> str:
        rounded = [[round(value, 5) for value in row] for row in (self.logprobs, self.conditional)]
        return json.dumps([self.ids, *rounded, self.reason])

    @classmethod
    def of(cls, text: str) -> "_Drawn":
        return cls(*json.loads(text))


class RememberingEngine(Engine):
    """`engine` with `answers`; `rules` is a hash of everything that ends a completion.

    One greedy sample of one prompt at a time is remembered, and everything else computed.
    """

    def __init__(self, engine: Engine, answers: Answers, rules: str) -> None:
        self.engine, self.answers, self.rules = engine, answers, rules
        self.kind, self.name, self.tokenizer = engine.kind, engine.name, engine.tokenizer
        self.load_ms, self.context_length = engine.load_ms, engine.context_length
        self.capabilities = engine.capabilities
        self._seen: deque[tuple[int, ...]] = deque(maxlen=_REMEMBERED_PROMPTS)

    def cached_tokens(self, prompt: Sequence[int]) -> int:
        """See `Engine`: how much of it was asked for before."""
        ids = tuple(prompt)
        return min(max((common_ids(ids, seen) for seen in self._seen), default=0), len(ids) - 1)

    def prefill(
        self,
        prompt: Sequence[int],
        *,
        cancel: Cancellation | None = None,
        step_tokens: int | None = None,
    ) -> Prefill:
        """See `Engine`; nothing is computed before a completion is asked for."""
        known = self.cached_tokens(prompt)
        self._note(prompt)
        return Prefill(len(prompt), known, len(prompt) - known)

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
        """See `Engine`."""
        self.check_joining(requests, more)
        (request,) = requests
        if options.samples > 1 or options.temperature or request.resume is not None:
            return self.engine.batch(requests, options, cancel=cancel, on_token=on_token)
        cached = self.cached_tokens(request.prompt)
        self._note(request.prompt)
        asked = request.prompt, request.align, options
        key = question(self.name, self.rules, *asked)
        known = self.answers.get(key)
        drawn = _Drawn.of(known) if known else self._draw(key, request, options, cancel, on_token)
        if known:
            drawn = self._replay(drawn, request, cancel, on_token)
        found = Generation([self._completion(drawn)], len(request.prompt), cached, _NO_TIME)
        if on_done:
            on_done(0, found)
        return [found]

    def close(self) -> None:
        """See `Engine`."""
        self.engine.close()

    def _note(self, prompt: Sequence[int]) -> None:
        self._seen.append(tuple(prompt))

    def _draw(
        self,
        key: str,
        request: Request,
        options: SamplingOptions,
        cancel: Cancellation | None,
        on_token: OnToken | None,
    ) -> _Drawn:
        """Compute a completion, and keep it unless it was cancelled."""
        logprobs: list[float] = []
        conditional: list[float] = []

        def take(token: DrawnToken) -> None:
            logprobs.append(token.logprob)
            conditional.append(token.conditional)
            if on_token:
                on_token(token)

        (found,) = self.engine.batch([request], options, cancel=cancel, on_token=take)
        completion: Any = found.completions[0]
        size = len(completion.ids)
        reason = completion.finish_reason
        drawn = _Drawn(list(completion.ids), logprobs[:size], conditional[:size], reason)
        if reason != "cancelled":
            self.answers.add(key, drawn.as_text())
        return drawn

    def _replay(
        self,
        drawn: _Drawn,
        request: Request,
        cancel: Cancellation | None,
        on_token: OnToken | None,
    ) -> _Drawn:
        """Hand out a known completion token by token, as far as it is wanted."""
        for at, (ids, is_asked) in enumerate(beginnings(self.tokenizer, request, drawn.ids)):
            if cancel is not None and cancel.is_set():
                return replace(drawn, ids=ids[:-1], reason="cancelled")
            if on_token:
                known = drawn.logprobs[at], drawn.conditional[at]
                on_token(DrawnToken(0, 0, ids[-1], *known, 1.0))
            if request.stop and is_asked and request.stop(0, ids):
                return replace(drawn, ids=ids, reason="stop")
        return drawn

    def _completion(self, drawn: _Drawn) -> Completion:
        logprobs = drawn.logprobs[: len(drawn.ids)]
        mean = sum(logprobs) / len(logprobs) if logprobs else 0.0
        text = self.tokenizer.decode(drawn.ids)
        return Completion(drawn.ids, text, mean, mean, drawn.reason, logprobs)


def common_ids(one: tuple[int, ...], other: tuple[int, ...]) -> int:
    """How many ids both begin with, found by halving."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if one[:middle] == other[:middle] else (low, middle - 1)
    return low
