"""What all endpoints share: the engine, the scheduler and the counters."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from concurrent.futures import Future
from typing import TYPE_CHECKING

from starlette.requests import Request

from midline.kernels import CancelFlag
from midline.server.http.batching import Batcher, Runner
from midline.server.http.errors import HttpError
from midline.server.http.metrics import Metrics
from midline.server.http.prompt_windows import PromptWindows

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

LOAD_SECONDS = 120.0
"""How long a request waits for the model."""


class Service:
    """One model behind HTTP: `runner` owns the engine, and `loading` becomes it."""

    def __init__(self, runner: Runner, loading: "Future[Engine]") -> None:
        self.batcher = Batcher(runner)
        self.metrics = Metrics(self.batcher)
        self.windows = PromptWindows()
        self.started = int(time.time())
        self._loading = loading

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded."""
        loading = self._loading
        return loading.done() and not loading.cancelled() and loading.exception() is None

    def now(self) -> int:
        """Seconds since 1970."""
        return int(time.time())

    async def engine(self) -> "Engine":
        """The engine, when it is loaded. Raises HttpError 503 where that takes long or fails."""
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                return await asyncio.shield(asyncio.wrap_future(self._loading))
        except Exception as error:
            raise HttpError(503, "no model is loaded; try again in a moment") from error


@contextlib.asynccontextmanager
async def until_disconnect(request: Request, cancel: CancelFlag) -> AsyncIterator[None]:
    """Within the block, `cancel` is set when the client leaves; behind it, it is set anyway.

    The body of the request has been read.
    """

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        cancel.set()

    watching = asyncio.create_task(watch())
    try:
        yield
    finally:
        cancel.set()
        watching.cancel()
