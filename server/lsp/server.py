"""The language server: one client, one session, and an engine that may be shared with others.

Methods live in `features`, one file each. This module puts them together and runs the result on
standard input and output, on a TCP port, or on any stream.
"""

import asyncio
import contextlib
import os
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.exceptions import FeatureRequestError, JsonRpcInvalidRequest
from pygls.io_ import StdoutWriter
from pygls.lsp.server import LanguageServer

from midline.model.errors import MidlineError, UsageError
from midline.server.logs import LOGGER, log_hint
from midline.server.lsp.engine_state import EngineState
from midline.server.lsp.engine_thread import EngineClient, EngineThread
from midline.server.lsp.framing import FramingError, read_messages
from midline.server.lsp.model_loader import LoadEngine, load_engine
from midline.server.lsp.parent import wait_for_end
from midline.server.lsp.pauses import Pauses
from midline.server.lsp.prompt_window import WindowPlanner
from midline.server.lsp.protocol import MidlineProtocol
from midline.server.lsp.renewal import Asked, tell_renewed
from midline.server.lsp.session import Session
from midline.server.lsp.status import StatusLine
from midline.server.lsp.stdio import claim_stdout
from midline.server.lsp.transports import first_client, is_loopback, read_descriptor
from midline.server.lsp.typing_rhythm import TypingRhythm

if TYPE_CHECKING:
    pass

_SECONDS_TO_REST = 5.0
NOTEBOOKS = types.NotebookDocumentSyncOptions([types.NotebookDocumentFilterWithNotebook("*")])
"""All cells of all notebooks."""
INTERRUPTED = 130
"""Exit status after an interrupt."""


class MidlineServer(LanguageServer):
    """The pygls server with a session, its client of an engine thread and messages to the user."""

    protocol: MidlineProtocol

    def __init__(
        self, load_engine: LoadEngine = load_engine, thread: EngineThread | None = None
    ) -> None:
        super().__init__(
            "midline",
            version("midline"),
            text_document_sync_kind=types.TextDocumentSyncKind.Incremental,
            notebook_document_sync=NOTEBOOKS,
            protocol_cls=MidlineProtocol,
        )
        self.session = Session()
        self.engine: EngineClient = (thread or EngineThread()).client(lambda: _give_way(self))
        self.planner = WindowPlanner()
        self.rhythm = TypingRhythm()
        self.pauses = Pauses(self)
        self.status = StatusLine(self)
        self.load_engine = load_engine
        self.is_initialized = False
        """Whether the client may be sent notifications."""
        self.load_settled = asyncio.Event()
        """Set while no model is being loaded or about to be, whether the last load went well."""
        self.reading: Future[None] | None = None
        """What was last read ahead, or still is."""
        self.client_is_here = True
        """Whether the client is a process of this machine."""
        self.notice = ""
        """A sentence to show as soon as the client can show one."""
        self.offered: dict[object, list[str]] = {}
        """The last candidates for a body, which the client chooses from, by their place."""
        self.client_name = ""
        """As the client calls itself."""
        self._serving: asyncio.Task[None] | None = None
        self._watching: asyncio.Future[None] | None = None
        self._model_watch: asyncio.Task[None] | None = None
        self._told: set[str] = set()

    def tell(self, sentence: str, kind: types.MessageType = types.MessageType.Error) -> None:
        """Show the user one sentence, once; the log has the rest."""
        if sentence not in self._told:
            self._told.add(sentence)
            self.window_show_message(types.ShowMessageParams(type=kind, message=sentence))

    def renewed(self, asked: Asked) -> None:
        """Tell the client that there is another text for the place that it `asked` about."""
        tell_renewed(self, asked)

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Log the failure of a handler and show the user one sentence; called by pygls."""
        LOGGER.error("%s", source.__name__, exc_info=error)
        if source is not FeatureRequestError:
            self.tell(f"Midline ran into a problem ({type(error).__name__}); {log_hint()}")

    def serve_stdio(self) -> int:
        """Serve the client at standard input and output; the process's exit status."""

        try:
            source, writer = sys.stdin.fileno(), StdoutWriter(claim_stdout())
        except (AttributeError, OSError) as error:
            raise UsageError(
                "the client speaks at standard input and output, and one is closed"
            ) from error

        async def serve() -> None:
            await self.serve(await read_descriptor(source), writer)

        return self._run(serve())

    def serve_tcp(self, host: str, port: int, token: str | None = None) -> int:
        """Serve the first client that may have the session; the process's exit status.

        Raises UsageError where it cannot listen.

        The process that the client names is on this machine only if its address is.
        """
        self.client_is_here = is_loopback(host)

        async def serve() -> None:
            async with first_client(host, port, token) as client:
                await self.serve(client.reader, client.writer, client.begun, client.first)

        return self._run(serve())

    def stop(self, reason: str) -> None:
        """End serving; the process leaves as if its client had."""
        LOGGER.info("leaving: %s", reason)
        if self._serving is not None:
            self._serving.cancel()

    def leave(self) -> None:
        """End all work for the client, which has left; the engine stays for others."""
        self.pauses.stop()
        for uri in list(self.session.documents):
            self.session.close(uri)
        self.engine.leave()

    def watch_for_model(self, watch: Coroutine[Any, Any, None]) -> None:
        """Run `watch` in place of the last one, until the client leaves."""
        if self._model_watch is not None and self._model_watch is not asyncio.current_task():
            self._model_watch.cancel()
        self._model_watch = asyncio.ensure_future(watch)

    def watch(self, process_id: int | None) -> None:
        """Stop when the process of the client ends, if it is one of this machine."""
        if process_id is None or process_id <= 0 or not self.client_is_here:
            return

        async def stop_with_it() -> None:
            await wait_for_end(process_id)
            self.stop(f"the client's process {process_id} has ended")

        self._watching = asyncio.ensure_future(stop_with_it())

    def _run(self, serve: Coroutine[Any, Any, None]) -> int:
        """Run until the client leaves or an interrupt comes, which goes on to the caller."""
        try:
            asyncio.run(serve)
        except SystemExit:
            LOGGER.info("the client has left")
        except asyncio.CancelledError:
            pass  # `stop` has said why
        except KeyboardInterrupt:
            self._leave(INTERRUPTED)
            raise
        return self._leave(0 if self.session.shutdown_requested else MidlineError.exit_status)

    async def serve(
        self,
        reader: asyncio.StreamReader,
        writer: Any,
        begun: bytes = b"",
        first: bytes | None = None,
    ) -> None:
        """Handle messages, one after the other, to the end of the stream.

        begun: a line of the first message, and first: a message, that were read already.
        SystemExit after `exit`, CancelledError after `stop`.
        """
        self._serving = asyncio.current_task()
        self.protocol.set_writer(writer)
        leave = self._listen_to_the_engine()
        try:
            if first is not None:
                self.protocol.receive(first)
            async for message in read_messages(reader, begun):
                if isinstance(message, FramingError):
                    self.protocol.refuse(None, JsonRpcInvalidRequest(str(message)))
                else:
                    self.protocol.receive(message)
        finally:
            leave()
            if self._model_watch is not None:
                self._model_watch.cancel()

    def _listen_to_the_engine(self) -> Callable[[], None]:
        loop, board = asyncio.get_running_loop(), self.engine.thread.board

        def post(state: EngineState) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(self._engine_is, state)

        self._engine_is(board.current)
        return board.listen(post)

    def _engine_is(self, state: EngineState) -> None:
        """Take in what the engine is doing, a model included that another client has loaded."""
        speed, model = self.engine.thread.speed, self.session.settings.model
        if state.name == "ready" and speed is not None and speed is not self.planner.speed:
            self.planner = WindowPlanner(speed)
        self.status.engine_is(state)
        if state.name == "ready" and state.model != model and self.load_settled.is_set():
            self.tell(
                f"Midline: another window has loaded {state.model}, and this one goes on with it, "
                "since one model is kept in memory; midline.reload brings back your own.",
                types.MessageType.Info,
            )

    def _leave(self, status: int) -> int:
        """Let the engine come to rest; 0 after a shutdown request, 1 without, as the protocol says.

        A model that is just being loaded cannot be stopped, so the process ends under it.
        """
        if not self.engine.close(_SECONDS_TO_REST):
            LOGGER.info("leaving while the engine is busy")
            os._exit(status)
        return status


def _give_way(ls: MidlineServer) -> None:
    """End what nobody waits for: another client wants the engine."""
    ls.session.give_way()
    ls.pauses.stop()


def create_server(
    load_engine: LoadEngine = load_engine, thread: EngineThread | None = None
) -> MidlineServer:
    """A server with all its methods, ready to serve one client; with a `thread` of others' too."""
    from midline.server.lsp import commands, features

    server = MidlineServer(load_engine, thread)
    features.register(server)
    commands.register(server)
    return server
