"""An engine whose computing times are given: it sleeps on a simulated clock for as long as its
prompts and tokens would have taken.

What it writes is the real engine's, kept in a file by prompt and options, so that only what was
never written before is computed.
"""

import json
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from midline.benchmarks.quality.answers import Answers, question
from midline.benchmarks.quality.typing.remembering import common_ids
from midline.model.cancellation import Cancellation
from midline.model.completion.stopping import is_marker
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

_REMEMBERED_PROMPTS = 48
_STEP_TOKENS = 512
_BETWEEN_LOOKS = 32
"""Tokens of a prompt that are computed between two looks at the cancellation."""


class Sleeping(Protocol):
    """A clock to sleep on."""

    now: float

    def sleep(self, seconds: float, *, busy: bool = False) -> None:
        """Wait, or compute, for so long."""


class Instant:
    """A clock on which everything takes no time."""

    now = 0.0

    def sleep(self, seconds: float, *, busy: bool = False) -> None:
        """Wait for nothing."""


@dataclass(frozen=True)
class Speed:
    """Prompt tokens and generated tokens a second."""

    prefill: float
    decode: float

    def prompt(self, tokens: int) -> float:
        """Seconds for a step of so many tokens, of which one costs as much as a few."""
        return max(tokens / self.prefill, 1 / self.decode)


@dataclass
class _Known:
    """What was drawn for a prompt so far, and whether the model ended it there."""

    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    conditional: list[float] = field(default_factory=list)
    reason: str = ""


class SimulatedEngine(Engine):
    """`engine` at a given speed; one greedy sample of one prompt at a time."""

    def __init__(self, engine: Engine, answers: Answers, clock: Sleeping, speed: Speed) -> None:
        self.engine, self.answers, self.clock, self.speed = engine, answers, clock, speed
        self.kind, self.name, self.tokenizer = engine.kind, engine.name, engine.tokenizer
        self.load_ms, self.context_length = 0.0, engine.context_length
        self.capabilities = engine.capabilities
        self.prompt_tokens = self.decoded_tokens = 0
        self._seen: deque[tuple[int, ...]] = deque(maxlen=_REMEMBERED_PROMPTS)

    def cached_tokens(self, prompt: Sequence[int]) -> int:
        """See `Engine`."""
        return min(self._common(tuple(prompt)), len(prompt) - 1)

    def _common(self, ids: tuple[int, ...]) -> int:
        return max((common_ids(ids, seen) for seen in self._seen), default=0)

    def prefill(
        self,
        prompt: Sequence[int],
        *,
        cancel: Cancellation | None = None,
        step_tokens: int | None = None,
    ) -> Prefill:
        """See `Engine`."""
        ids = tuple(prompt)
        known = self._common(ids)
        at = self._compute(ids, known, cancel)
        return Prefill(len(ids), known, at - known)

    def _compute(self, ids: tuple[int, ...], at: int, cancel: Cancellation | None) -> int:
        """Take the time for a prompt from token `at` on; up to where it is known then."""
        while at < len(ids):
            end = min(len(ids), at + _STEP_TOKENS)
            for begin in range(at, end, _BETWEEN_LOOKS):
                if cancel is not None and cancel.is_set():
                    return at
                count = min(_BETWEEN_LOOKS, end - begin)
                self.clock.sleep(self.speed.prompt(count), busy=True)
            self.prompt_tokens += end - at
            at = end
            self._seen.append(ids[:at])
        return at

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
        (request,) = requests
        ids = tuple(request.prompt)
        known, began = self.cached_tokens(ids), self.clock.now
        writing = _Writing(self, request, cancel, on_token)
        if self._compute(ids, known, cancel) < len(ids):
            reason = "cancelled"
        else:
            begun = self.clock.now
            reason = self._write(request, options, writing)
        begun = self.clock.now if not writing.ids else begun
        timings = _timings(begun - began, self.clock.now - begun, len(writing.ids))
        completion = Completion(
            writing.ids, self.tokenizer.decode(writing.ids), 0.0, 0.0, reason, []
        )
        found = Generation([completion], len(ids), known, timings)
        if on_done:
            on_done(0, found)
        return [found]

    def _write(self, request: Request, options: SamplingOptions, writing: "_Writing") -> str:
        """Hand out what is known of an answer, and compute what is not; why it ended."""
        if request.align:
            self.clock.sleep(1 / self.speed.decode, busy=True)
        key = question(self.name, tuple(request.prompt), request.align, options)
        text = self.answers.get(key)
        known = _Known(**json.loads(text)) if text else _Known()
        for row in zip(known.ids, known.logprobs, known.conditional, strict=True):
            if reason := writing.take(*row):
                return reason
        if known.reason:
            return known.reason
        return self._draw(key, request, options, writing, len(known.ids))

    def _draw(
        self, key: str, request: Request, options: SamplingOptions, writing: "_Writing", skip: int
    ) -> str:
        """Compute an answer of which `skip` tokens were handed out."""
        drawn, ended = _Known(), ""

        def take(token: DrawnToken) -> None:
            nonlocal ended
            drawn.ids.append(token.id)
            drawn.logprobs.append(round(token.logprob, 5))
            drawn.conditional.append(round(token.conditional, 5))
            if len(drawn.ids) > skip and not ended:
                ended = writing.take(token.id, token.logprob, token.conditional)

        asked = replace(request, stop=lambda sample, ids: ended != "")
        (found,) = self.engine.batch([asked], options, on_token=take)
        drawn.reason = "" if ended else found.completions[0].finish_reason
        self.answers.add(key, json.dumps(drawn.__dict__))
        return ended or drawn.reason

    def close(self) -> None:
        """See `Engine`."""
        self.engine.close()


class _Writing:
    """An answer as it is handed out, token by token, on the clock."""

    def __init__(
        self,
        engine: SimulatedEngine,
        request: Request,
        cancel: Cancellation | None,
        on_token: OnToken | None,
    ) -> None:
        self.ids: list[int] = []
        self._engine, self._request, self._cancel = engine, request, cancel
        self._on_token = on_token
        self._bytes = 0

    def take(self, id: int, logprob: float, conditional: float) -> str:
        """Hand out a token; why the answer ends with it or before it, "" if it goes on."""
        request, engine = self._request, self._engine
        if self._bytes >= len(request.align) and self.ids:
            engine.clock.sleep(1 / engine.speed.decode, busy=True)
            engine.decoded_tokens += 1
        if self._cancel is not None and self._cancel.is_set():
            return "cancelled"
        self.ids.append(id)
        if self._on_token:
            self._on_token(DrawnToken(0, 0, id, logprob, conditional, 1.0))
        if not is_marker(engine.tokenizer, id):
            self._bytes += len(engine.tokenizer.token_bytes(id))
        aligned = self._bytes >= len(request.align)
        return "stop" if request.stop and aligned and request.stop(0, self.ids) else ""


def _timings(prefill: float, decode: float, tokens: int) -> Timings:
    rate = tokens / decode if decode > 0 else 0.0
    return Timings(0.0, prefill * 1e3, decode * 1e3, 0.0, rate)
