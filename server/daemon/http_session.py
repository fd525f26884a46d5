"""HTTP in the engine process: serves on the socket that a client has handed over."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Awaitable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from midline.model.errors import MidlineError, UsageError
from midline.server.daemon.handing_over import Wanted, refusal, take_over
from midline.server.lsp.engine_thread import EngineThread
from midline.server.lsp.model_loader import LoadEngine, begin_load
from midline.server.lsp.settings import resolve
from midline.server.user_settings import read_user_settings

if TYPE_CHECKING:
    from midline.model.engines.base import Engine
    from midline.server.http.service import Service

LOGGER = logging.getLogger(__name__)


class HttpSession:
    """One listening socket, served with the engine of all clients until its owner leaves."""

    def __init__(self, thread: EngineThread, load_engine: LoadEngine) -> None:
        self._thread, self._load_engine = thread, load_engine
        self._service: Service | None = None
        self.address = ""
        """Host and port, once it is known."""

    @property
    def requests(self) -> int:
        """Requests that are being decoded or wait for that."""
        service = self._service
        batchers = (service.texts, service.at_cursor) if service else ()
        return sum(batcher.running + batcher.waiting for batcher in batchers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve until the other side closes the connection. Nothing of it may have been read.

        Raises OSError and ValueError where no socket comes.
        """
        with writer.get_extra_info("socket").dup() as connection:
            listening, wanted = await asyncio.to_thread(take_over, connection)
        with listening:
            writer.transport.resume_reading()  # type: ignore[attr-defined]
            try:
                loading = self._ask_for_model(wanted)
                await self.serve_on(listening, wanted, reader.read(), loading)
                if loading.done() and (error := loading.exception()) is not None:
                    raise error
            except MidlineError as error:
                LOGGER.warning("HTTP is not served: %s", error)
                writer.write(refusal(str(error)))
                await writer.drain()

    def _ask_for_model(self, wanted: Wanted) -> "Future[Engine]":
        """The load of the model that is wanted, or the last one where any will do."""
        thread = self._thread
        given = {"model": wanted.model, "threads": wanted.threads}
        given = {name: value for name, value in given.items() if value is not None}
        if not given and thread.loading is not None and not thread.has_failed:
            return thread.loading
        settings, problems = resolve({**read_user_settings(), **given})
        if problems:
            raise UsageError(problems[0])
        if thread.loading is None:
            thread.policy = settings.policy()
        return begin_load(thread, self._load_engine, settings)

    async def serve_on(
        self,
        listening: socket.socket,
        wanted: Wanted,
        over: Awaitable[object],
        loading: "Future[Engine] | None" = None,
    ) -> None:
        """Serve until `over`, which may raise OSError, or until `loading` fails."""
        from midline.server.http.service import Service
        from midline.server.http.serving import http_server, shown

        self.address = shown(listening)
        service = self._service = Service(self._thread)
        server = http_server(service, wanted.host, wanted.token, takes_signals=False)

        async def until_over() -> None:
            left: asyncio.Future[Any] = asyncio.ensure_future(over)
            loaded = asyncio.wrap_future(loading) if loading else None
            awaited = {left, loaded} if loaded else {left}
            await asyncio.wait(awaited, return_when=asyncio.FIRST_COMPLETED)
            if loaded and loaded.done() and not loaded.cancelled() and not loaded.exception():
                with contextlib.suppress(OSError):
                    await left
            left.cancel()
            server.should_exit = True

        ending = asyncio.ensure_future(until_over())
        try:
            LOGGER.info("HTTP is served at %s", self.address)
            await server.serve(sockets=[listening])
        finally:
            ending.cancel()
            service.close()
            LOGGER.info("HTTP at %s has ended", self.address)
