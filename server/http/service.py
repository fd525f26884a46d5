"""What all endpoints share: the engine, the scheduler and the counters."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

from starlette.requests import Request

from midline.kernels import CancelFlag
from midline.server.http.batching import CURSORS_ROOM, Batcher
from midline.server.http.errors import HttpError
from midline.server.http.metrics import Metrics
from midline.server.http.prompt_windows import PromptWindows
from midline.server.lsp.engine_thread import EngineThread
from midline.server.lsp.scheduler import Priority

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

LOAD_SECONDS = 120.0
"""How long a request waits for the model."""


class Service:
    """The engine behind HTTP: completions at a cursor go before other texts."""

    def __init__(self, thread: EngineThread) -> None:
        self._thread = thread
        self._clients = [thread.client(), thread.client()]
        self.texts = Batcher(self._clients[0])
        self.at_cursor = Batcher(self._clients[1], Priority.INTERACTIVE, CURSORS_ROOM)
        self.metrics = Metrics((self.texts, self.at_cursor))
        self.windows = PromptWindows()
        self.started = int(time.time())

    @property
    def is_ready(self) -> bool:
        """Whether the model is loaded."""
        loading = self._thread.loading
        is_over = loading is not None and loading.done() and not loading.cancelled()
        return is_over and loading is not None and loading.exception() is None

    def close(self) -> None:
        """Give up all requests."""
        for batcher, client in zip((self.texts, self.at_cursor), self._clients, strict=True):
            batcher.abandon()
            client.leave()

    def now(self) -> int:
        """Seconds since 1970."""
        return int(time.time())

    async def engine(self) -> "Engine":
        """The engine, when it is loaded. Raises HttpError 503 where that takes long or fails."""
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                while True:
                    loading = self._thread.loading
                    assert loading is not None  # whoever serves has asked for a model
                    engine = await asyncio.shield(asyncio.wrap_future(loading))
                    if loading is self._thread.loading:
                        return engine
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
