"""A batch at an endpoint: texts come in from all streams and become the tokens of samples."""

import math
import queue
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from midline.model.cancellation import Cancellation
from midline.model.decoding.options import SamplingOptions
from midline.model.decoding.request import (
    Completion,
    DrawnToken,
    Generation,
    OnDone,
    OnToken,
    Request,
    Timings,
)
from midline.model.engines.remote.endpoint import Endpoint
from midline.model.engines.remote.streams import End, Event, Piece, Stream
from midline.model.tokenizer.base import TokenizerBase

MOST_STREAMS = 8
"""Most requests at an endpoint at a time."""
_LOOK_SECONDS = 0.02
"""How often a cancellation is looked for."""
_TOKENS_PER_PIECE = 2
"""Tokens of a model that a piece of text can take, for its limit at the endpoint."""


@dataclass
class _Sample:
    """A completion so far. skipped: bytes of the endpoint's text that it has already."""

    ids: list[int]
    skipped: int = 0
    finish: str = ""


@dataclass
class _Asked:
    """A request and its samples; `stream` is None before and behind its time at the endpoint."""

    request: Request
    samples: list[_Sample] = field(default_factory=list)
    stream: Stream | None = None
    is_over: bool = False


class Exchange:
    """One call of `Engine.batch`; all of it but reading runs in the caller's thread."""

    def __init__(
        self,
        endpoint: Endpoint,
        tokenizer: TokenizerBase,
        common: dict[str, Any],
        options: SamplingOptions,
        context_length: int,
    ) -> None:
        self._endpoint, self._tokenizer, self._common = endpoint, tokenizer, common
        self._options, self._context_length = options, context_length
        self._events: queue.Queue[Event] = queue.Queue()
        self._asked: list[_Asked] = []
        self._on_token: OnToken | None = None
        self._cancel: Cancellation | None = None

    def run(
        self,
        requests: Sequence[Request],
        cancel: Cancellation | None,
        on_token: OnToken | None,
        on_done: OnDone | None,
        streams: int | None,
    ) -> list[Generation]:
        """The generations of all requests; raises MidlineError of the endpoint."""
        self._cancel, self._on_token = cancel, on_token
        self._asked = [_Asked(request) for request in requests]
        began, most = time.perf_counter(), min(streams or MOST_STREAMS, MOST_STREAMS)
        waiting, live = deque(range(len(requests))), 0
        try:
            while (waiting or live) and not self._is_cancelled():
                while waiting and live < max(1, most // self._options.samples):
                    number = waiting.popleft()
                    live += self._begin(number)
                    self._report(number, on_done)
                if live and (ended := self._take()) is not None:
                    live -= 1
                    self._report(ended, on_done)
        finally:
            for asked in self._asked:
                self._leave(asked, "cancelled")
        milliseconds = (time.perf_counter() - began) * 1e3
        return [self._generation(asked, milliseconds) for asked in self._asked]

    def _is_cancelled(self) -> bool:
        return self._cancel is not None and self._cancel.is_set()

    def _begin(self, number: int) -> bool:
        """Send a request; whether anything is left to be written."""
        asked = self._asked[number]
        request = asked.request
        ids = list(request.resume.ids) if request.resume else []
        written = sum(len(self._tokenizer.token_bytes(id)) for id in ids)
        for sample in range(self._options.samples):
            asked.samples.append(_Sample(list(ids), max(0, written - len(request.align))))
            if ids and self._is_long_enough(asked, asked.samples[-1]):
                asked.samples[-1].finish = "length"
            else:
                self._write(number, sample, request.align[min(written, len(request.align)) :])
        if all(sample.finish for sample in asked.samples):
            return False
        asked.stream = Stream(self._endpoint, number, self._body(asked), self._events)
        return True

    def _body(self, asked: _Asked) -> dict[str, Any]:
        options, request = self._options, asked.request
        seed = options.seed if request.seed is None else request.seed
        body = {
            **self._common,
            "prompt": prompt_text(self._tokenizer, request),
            "max_tokens": _TOKENS_PER_PIECE * self._most(asked) + len(asked.samples[0].ids),
            "n": options.samples,
            "temperature": options.temperature,
            "top_p": options.top_p,
            "seed": seed % 2**31,
            "stream": True,
        }
        return {**body, "min_p": options.min_p} if options.min_p else body

    def _most(self, asked: _Asked) -> int:
        room = self._context_length - len(asked.request.prompt)
        return min(self._options.max_tokens, room)

    def _is_long_enough(self, asked: _Asked, sample: _Sample) -> bool:
        return len(sample.ids) >= self._most(asked)

    def _take(self) -> int | None:
        """Take in the next event; the number of the request that it ends."""
        try:
            event = self._events.get(timeout=_LOOK_SECONDS)
        except queue.Empty:
            return None
        asked = self._asked[event.number]
        if asked.is_over:
            return None
        if isinstance(event, End):
            if event.error is not None:
                raise event.error
            self._leave(asked, "stop")
            return event.number
        self._take_piece(asked, event)
        if all(sample.finish for sample in asked.samples):
            self._leave(asked, "stop")
            return event.number
        return None

    def _take_piece(self, asked: _Asked, piece: Piece) -> None:
        if piece.sample >= len(asked.samples):
            return
        sample, data = asked.samples[piece.sample], piece.text.encode("utf-8", "replace")
        skipped = min(sample.skipped, len(data))
        sample.skipped -= skipped
        self._write(piece.number, piece.sample, data[skipped:])
        if piece.finish is not None:
            sample.finish = sample.finish or ("length" if piece.finish == "length" else "stop")

    def _write(self, number: int, sample: int, data: bytes) -> None:
        """Adds text to a sample, token by token, until that is over."""
        asked = self._asked[number]
        own, request = asked.samples[sample], asked.request
        for id in self._tokenizer.encode(data):
            if own.finish or self._is_cancelled():
                return
            own.ids.append(id)
            if self._on_token is not None:
                self._on_token(DrawnToken(number, sample, id, math.nan, math.nan, math.nan))
            if self._is_stopped(request, sample, own.ids):
                own.finish = "stop"
            elif self._is_long_enough(asked, own):
                own.finish = "length"

    def _is_stopped(self, request: Request, sample: int, ids: list[int]) -> bool:
        if request.stop is None:
            return False
        size = len(request.align)
        if size and sum(len(self._tokenizer.token_bytes(id)) for id in ids[:size]) < size:
            return False
        return request.stop(sample, ids)

    def _leave(self, asked: _Asked, reason: str) -> None:
        asked.is_over = True
        for sample in asked.samples:
            sample.finish = sample.finish or reason
        if asked.stream is not None:
            asked.stream.close()
            asked.stream = None

    def _report(self, number: int, on_done: OnDone | None) -> None:
        asked = self._asked[number]
        if asked.stream is None and on_done is not None:
            on_done(number, self._generation(asked, 0.0))

    def _generation(self, asked: _Asked, milliseconds: float) -> Generation:
        timings = Timings(0.0, 0.0, milliseconds, 0.0, 0.0)
        if milliseconds > 0:
            written = sum(len(sample.ids) for sample in asked.samples)
            timings = replace(timings, decode_tokens_per_second=written * 1e3 / milliseconds)
        completions = [self._completion(sample) for sample in asked.samples]
        resumed = len(asked.request.resume.ids) if asked.request.resume else 0
        prompt = len(asked.request.prompt) + resumed if completions else 0
        return Generation(completions, prompt, 0, timings)

    def _completion(self, sample: _Sample) -> Completion:
        text = self._tokenizer.decode(sample.ids)
        unknown = [math.nan] * len(sample.ids)
        return Completion(sample.ids, text, 0.0, 0.0, sample.finish, unknown)


def prompt_text(tokenizer: TokenizerBase, request: Request) -> str:
    """The text of a request, special tokens spelled out.

    What spells one in the text itself gets a space, since the endpoint could not tell them apart.
    """
    parts: list[str] = []
    plain = bytearray()

    def flush() -> None:
        text = plain.decode("utf-8", "replace")
        parts.append(tokenizer.special_pattern.sub(lambda m: f"{m[0][0]} {m[0][1:]}", text))
        plain.clear()

    for id in request.prompt:
        if tokenizer.is_control(id):
            flush()
            parts.append(tokenizer.token_bytes(id).decode())
        else:
            plain += tokenizer.token_bytes(id)
    plain += request.align
    flush()
    return "".join(parts)
