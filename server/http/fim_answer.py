"""Completions at a cursor, as the language server gives them: aligned, trimmed and ranked."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from midline.kernels import CancelFlag
from midline.model.completion.fim import Cursor, Prompt
from midline.model.completion.ranking import Suggestion
from midline.model.completion.stopping import WrittenText
from midline.model.completion.task import CompletionResult, CompletionTask, completion_tasks
from midline.model.decoding.request import DrawnToken, Request
from midline.server.http.asked import Asked
from midline.server.http.prompt_windows import PlannedPrompt
from midline.server.http.raw_answer import Spent
from midline.server.http.service import Service

if TYPE_CHECKING:
    from midline.model.engines.base import Engine


class FimAnswer:
    """One completion at a cursor.

    predict_ms: ends an answer that has a whole line after that time. `suggestions` are best first
    and all different, so there may be fewer than samples; an empty text means that nothing is
    missing at the cursor.
    """

    def __init__(
        self,
        service: Service,
        engine: "Engine",
        planned: PlannedPrompt,
        asked: Asked,
        predict_ms: float | None = None,
    ) -> None:
        self._service, self._engine, self._planned = service, engine, planned
        self._asked, self._predict_ms = asked, predict_ms
        self._loop = asyncio.get_running_loop()
        self._beginnings: asyncio.Queue[str | None] = asyncio.Queue()
        self._asked_at = time.perf_counter()
        self._first_at: float | None = None
        self._is_cut = False
        self.spent = Spent()

    async def whole(self, cancel: CancelFlag) -> tuple[Suggestion, ...]:
        """The suggestions."""
        result = await self._result(cancel)
        return tuple(self._without_stops(each) for each in result.suggestions)

    async def pieces(self, cancel: CancelFlag) -> AsyncIterator[str | Suggestion]:
        """Pieces of the best text as far as it may be shown while it is written, then the whole.

        What was given out is never taken back: the suggestion at the end begins with it.
        """
        answering = asyncio.ensure_future(self.whole(cancel))
        answering.add_done_callback(lambda _: self._beginnings.put_nowait(None))
        given = ""
        while (text := await self._beginnings.get()) is not None:
            if text.startswith(given) and len(text) > len(given):
                yield text[len(given) :]
                given = text
        best = (await answering)[0]
        if best.text.startswith(given):
            yield best.text[len(given) :]
        yield best if best.text.startswith(given) else replace(best, text=given)

    async def _result(self, cancel: CancelFlag) -> CompletionResult:
        cursor, prompt = self._planned.cursor, self._planned.prompt
        tasks = await asyncio.to_thread(self._tasks, cursor, prompt)
        result: CompletionResult | None = None
        for task in tasks:
            result = await self._asked_for(task, cancel)
            if not result.is_empty or cancel.is_set():
                break
        assert result is not None  # there is always a first task
        return result

    def _tasks(self, cursor: Cursor, prompt: Prompt) -> list[CompletionTask]:
        options, limits = self._asked.options, self._planned.limits
        tasks = completion_tasks(self._engine, cursor, options, limits, insist=False, prompt=prompt)
        for task in tasks:  # parses the file, which takes a while the first time
            _ = task.stop, task.prompt
        return tasks

    async def _asked_for(self, task: CompletionTask, cancel: CancelFlag) -> CompletionResult:
        aligned = len(task.prompt.align)
        texts = [WrittenText(self._engine.tokenizer, aligned) for _ in range(task.options.samples)]
        request = Request(
            task.prompt.ids, task.prompt.align, lambda s, ids: self._stop(task, s, ids, texts[s])
        )
        options = replace(task.options, max_tokens=task.options.max_tokens + task.prompt.backed_up)
        future = self._service.at_cursor.submit(
            self._engine, request, options, on_token=self._on_token, cancel=cancel
        )
        generation = await asyncio.wrap_future(future)
        written = sum(len(completion.ids) for completion in generation.completions)
        self._spend(generation.prompt_tokens, generation.cached_tokens, written)
        return await asyncio.to_thread(task.result, generation, is_cut=self._is_cut)

    def _spend(self, prompt: int, cached: int, written: int) -> None:
        ended = time.perf_counter()
        first = ended if self._first_at is None else self._first_at
        self._service.metrics.began(first - self._asked_at)
        self._service.metrics.generated(prompt, cached, written)
        self._service.windows.speed.learn(prompt - cached, first - self._asked_at)
        self.spent = Spent(
            prompt, cached, self.spent.written + written,
            (first - self._asked_at) * 1e3, (ended - first) * 1e3,
        )  # fmt: skip

    def _on_token(self, token: DrawnToken) -> None:
        if self._first_at is None:
            self._first_at = time.perf_counter()

    def _stop(self, task: CompletionTask, sample: int, ids: list[int], text: WrittenText) -> bool:
        if task.stop(sample, ids):
            return True
        written = text.of(ids)
        if self._asked.stream and self._asked.options.samples == 1:
            self._show(task, len(ids), written)
        self._is_cut = self._is_cut or self._is_late(written)
        return self._is_cut or any(stop in written for stop in self._asked.stops)

    def _is_late(self, written: str) -> bool:
        """Whether the time is over and there is a whole line to show for it."""
        if self._predict_ms is None or self._first_at is None or "\n" not in written.lstrip("\n"):
            return False
        return (time.perf_counter() - self._first_at) * 1e3 > self._predict_ms

    def _show(self, task: CompletionTask, tokens: int, written: str) -> None:
        if written.endswith(("\n", ",", ";")):
            shown = task.beginning(written, tokens)
            if shown is not None:
                text = _before(shown.text, self._asked.stops)
                self._loop.call_soon_threadsafe(self._beginnings.put_nowait, text)

    def _without_stops(self, suggestion: Suggestion) -> Suggestion:
        return replace(suggestion, text=_before(suggestion.text, self._asked.stops))


def _before(text: str, stops: Sequence[str]) -> str:
    """`text` up to the first of `stops` in it."""
    return text[: min((at for stop in stops if (at := text.find(stop)) >= 0), default=len(text))]
