"""Completions of a prompt as it is: text, tokens and reasons, piece by piece."""

import asyncio
import math
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from midline.kernels import CancelFlag
from midline.model.decoding.request import Completion, DrawnToken, Generation, Request
from midline.server.http.asked import Asked
from midline.server.http.service import Service
from midline.server.http.token_text import TokenText

if TYPE_CHECKING:
    from midline.model.engines.base import Engine


@dataclass(frozen=True)
class Spent:
    """What an answer took: tokens of the prompt, those of it that were cached, tokens written, and
    milliseconds until the first token and behind it."""

    prompt_tokens: int = 0
    cached_tokens: int = 0
    written: int = 0
    prompt_ms: float = 0.0
    predicted_ms: float = 0.0


@dataclass(frozen=True)
class Piece:
    """What a step adds to a sample: text, ids with their log-probabilities, and why it ended."""

    sample: int
    text: str
    tokens: tuple[tuple[int, float], ...] = ()
    finish: str | None = None


class RawAnswer:
    """One prompt on its way through the engine.

    The engine's thread calls `_on_token` and `_stop`; the event loop iterates over `pieces` or
    awaits `whole`. Nothing is submitted before. `is_over` may end a sample by its text and the
    seconds since the first token. `is_at_cursor` lets it go before other texts.
    """

    is_at_cursor = False

    def __init__(
        self,
        service: Service,
        engine: "Engine",
        prompt: Sequence[int],
        asked: Asked,
        is_over: Callable[[str, float], bool] = lambda text, seconds: False,
    ) -> None:
        self._service, self._prompt, self._asked, self._is_over = service, prompt, asked, is_over
        self._engine = engine
        samples = range(asked.options.samples)
        self.texts = [TokenText(engine.tokenizer, asked.stops) for _ in samples]
        self._drawn: list[list[tuple[int, float]]] = [[] for _ in samples]
        self._loop = asyncio.get_running_loop()
        self._pieces: asyncio.Queue[Piece | None] = asyncio.Queue()
        self._asked_at = time.perf_counter()
        self._first_at: float | None = None
        self.spent = Spent()

    async def whole(self, cancel: CancelFlag) -> list[Piece]:
        """One piece for each sample, with all of it."""
        generation = await self._submit(cancel)
        return [self._all_of(*each) for each in enumerate(generation.completions)]

    def _all_of(self, number: int, completion: Completion) -> Piece:
        self._rest(number, completion)
        tokens = tuple(zip(completion.ids, completion.logprobs, strict=False))
        return Piece(number, self.texts[number].text, tokens, self._reason(number, completion))

    async def pieces(self, cancel: CancelFlag) -> AsyncIterator[Piece]:
        """Pieces of all samples as they come; the last of each has the reason."""
        submitted = asyncio.ensure_future(self._submit(cancel))
        submitted.add_done_callback(lambda _: self._pieces.put_nowait(None))
        while (piece := await self._pieces.get()) is not None:
            yield piece
        for number, completion in enumerate((await submitted).completions):
            rest = self._rest(number, completion)
            yield Piece(number, rest, tuple(self._drawn[number]), self._reason(number, completion))

    async def _submit(self, cancel: CancelFlag) -> Generation:
        batcher = self._service.at_cursor if self.is_at_cursor else self._service.texts
        future = batcher.submit(
            self._engine,
            Request(self._prompt, stop=self._stop),
            self._asked.options,
            on_token=self._on_token,
            cancel=cancel,
        )
        generation = await asyncio.wrap_future(future)
        written = sum(len(completion.ids) for completion in generation.completions)
        metrics = self._service.metrics
        metrics.generated(generation.prompt_tokens, generation.cached_tokens, written)
        self._spend(generation, written)
        return generation

    def _spend(self, generation: Generation, written: int) -> None:
        ended = time.perf_counter()
        first = ended if self._first_at is None else self._first_at
        self._service.metrics.began(first - self._asked_at)
        self.spent = Spent(
            generation.prompt_tokens,
            generation.cached_tokens,
            written,
            (first - self._asked_at) * 1e3,
            (ended - first) * 1e3,
        )

    def _on_token(self, token: DrawnToken) -> None:
        if self._first_at is None:
            self._first_at = time.perf_counter()
        self._drawn[token.sample].append((token.id, token.logprob))

    def _stop(self, sample: int, ids: list[int]) -> bool:
        text = self.texts[sample].take(ids)
        if text and self._asked.stream:
            piece = Piece(sample, text, tuple(self._drawn[sample]))
            self._drawn[sample].clear()
            self._loop.call_soon_threadsafe(self._pieces.put_nowait, piece)
        seconds = time.perf_counter() - (self._first_at or math.inf)
        return self.texts[sample].is_stopped or self._is_over(self.texts[sample].text, seconds)

    def _rest(self, number: int, completion: Completion) -> str:
        """Text that no piece had."""
        text = self.texts[number]
        return text.take(completion.ids) + text.end()

    def _reason(self, number: int, completion: Completion) -> str:
        return "stop" if self.texts[number].is_stopped else completion.finish_reason
