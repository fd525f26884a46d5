"""The language server: one client, one session, one engine.

Methods live in `features`, one file each. This module puts them together and runs the result on
standard input and output, or on a TCP port.
"""

import asyncio
import os
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import FeatureRequestError
from pygls.io_ import run_async
from pygls.lsp.server import LanguageServer

from midline.model.errors import MidlineError, UsageError
from midline.server.logs import LOGGER, log_hint
from midline.server.lsp.engine_thread import EngineThread
from midline.server.lsp.prompt_window import WindowPlanner
from midline.server.lsp.session import Session
from midline.server.lsp.settings import Settings
from midline.server.lsp.stdio import claim_stdout

if TYPE_CHECKING:
    from midline.model.engines.native.engine import Engine

LoadEngine = Callable[[Settings, Callable[[float], None]], "Engine"]
"""Loads the model of the settings, reporting how much of it is done, from 0 to 1."""

_SECONDS_TO_REST = 5.0


def load_engine(settings: Settings, progress: Callable[[float], None]) -> "Engine":
    """The engine of the settings; imported here because the server starts without it."""
    from midline.model.engines.native.engine import Engine

    engine = Engine.load(
        settings.model, threads=settings.threads, progress=progress, sparsity=settings.sparsity
    )
    # The first look into the sorted vocabulary sorts it: better now than in the first request.
    engine.tokenizer.tokens_with_prefix(b"\n")
    return engine


class MidlineServer(LanguageServer):
    """pygls with a session, an engine thread, and one way to tell the user something."""

    def __init__(self, load_engine: LoadEngine = load_engine) -> None:
        super().__init__(
            "midline",
            version("midline"),
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
        )
        self.session = Session()
        self.engine = EngineThread()
        self.planner = WindowPlanner()
        self.load_engine = load_engine
        self.load_settled = asyncio.Event()
        """Set while no model is being loaded or about to be, whether the last load went well."""
        self.reading: Future[None] | None = None
        """What was last read ahead, or still is."""
        self._told: set[str] = set()

    def tell(self, sentence: str, kind: types.MessageType = types.MessageType.Error) -> None:
        """Show the user one sentence, once; the log has the rest."""
        if sentence not in self._told:
            self._told.add(sentence)
            self.window_show_message(types.ShowMessageParams(type=kind, message=sentence))

    def report_server_error(self, error: Exception, source: Any) -> None:
        """What pygls calls when a handler fails: the log has all of it, the user a sentence."""
        LOGGER.error("%s", source.__name__, exc_info=error)
        if source is not FeatureRequestError:
            self.tell(f"Midline ran into a problem ({type(error).__name__}); {log_hint()}")

    def serve_stdio(self) -> int:
        """Serve the client at standard input and output; the process's exit status."""
        self.start_io(sys.stdin.buffer, claim_stdout())
        return self._leave()

    def serve_tcp(self, host: str, port: int) -> int:
        """Serve the first client to connect; the process's exit status.

        Where it listens is said on standard error, so a port of 0 can be used.
        """
        try:
            asyncio.run(self._serve_tcp(host, port))
        except OSError as error:
            raise UsageError(f"cannot listen on {host}:{port}: {error.strerror}") from error
        except SystemExit:
            LOGGER.info("the client has left")
        return self._leave()

    async def _serve_tcp(self, host: str, port: int) -> None:
        gone = asyncio.Event()

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            listener.close()
            self.protocol.set_writer(writer)
            stop = threading.Event()
            try:
                await run_async(stop, reader, self.protocol, LOGGER, self.report_server_error)
            finally:
                gone.set()

        listener = await asyncio.start_server(connected, host, port)
        where = listener.sockets[0].getsockname()
        print(f"midline: listening on {where[0]}:{where[1]}", file=sys.stderr, flush=True)
        await gone.wait()

    def _leave(self) -> int:
        """Let the engine come to rest: 0 after a shutdown request, 1 without, as the protocol says.

        A model that is just being loaded cannot be stopped, so the process ends under it.
        """
        status = 0 if self.session.shutdown_requested else MidlineError.exit_status
        if not self.engine.close(_SECONDS_TO_REST):
            LOGGER.info("leaving while the engine is busy")
            os._exit(status)
        return status


def create_server(load_engine: LoadEngine = load_engine) -> MidlineServer:
    """A server with all its methods, ready to serve one client."""
    from midline.server.lsp import features

    server = MidlineServer(load_engine)
    features.register(server)
    return server
