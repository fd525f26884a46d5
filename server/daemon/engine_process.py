"""The engine process: one engine for all clients of a user, a session for each that connects."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from importlib.metadata import version
from typing import Any

import filelock

from midline.server.daemon.handshake import (
    HTTP,
    LSP,
    MAX_LINE,
    PROTOCOL,
    RETIRE,
    SECONDS,
    STATUS,
    STOP,
    Hello,
    Reply,
    line,
    parsed,
    peer_user,
)
from midline.server.daemon.http_session import HttpSession
from midline.server.daemon.http_setting import HttpSetting
from midline.server.daemon.lifetime import Lifetime
from midline.server.daemon.places import Place, build, private_folder
from midline.server.daemon.preload import note_loaded
from midline.server.daemon.spare import Spare
from midline.server.daemon.writer import ClientWriter
from midline.server.lsp.engine_thread import EngineThread
from midline.server.lsp.model_loader import LoadEngine, load_engine
from midline.server.lsp.server import MidlineServer, create_server
from midline.server.machine import resident_bytes, return_free_memory

LOGGER = logging.getLogger(__name__)
_SECONDS_TO_REST = 5.0
_LOOK_SECONDS = 1.0


@dataclass
class EngineProcess:
    """Listens at `place`; all state is the event loop's."""

    place: Place
    load_engine: LoadEngine = load_engine
    linger: float | None = None
    """Seconds to stay without clients, in place of what the settings say."""
    thread: EngineThread = field(default_factory=EngineThread)
    spare: Spare = field(default_factory=Spare)
    """What takes over if this process is killed."""
    began: float = field(default_factory=time.time)
    _sessions: dict[MidlineServer | HttpSession, Hello] = field(default_factory=dict)
    _connections: set["asyncio.Task[Any]"] = field(default_factory=set)

    def run(self) -> int:
        """Serve until nobody needs it any more; 0 at once if another process serves here."""
        private_folder(self.place.folder)
        owner = filelock.FileLock(self.place.owner_lock)
        try:
            owner.acquire(blocking=False)
        except filelock.Timeout:
            LOGGER.info("another engine process serves %s", self.place.socket)
            self._leave()
            return 0
        self.place.ended_note.unlink(missing_ok=True)
        try:
            asyncio.run(self._serve())
        finally:
            self._leave()
        return 0

    def _leave(self) -> None:
        """Let the engine come to rest; a model that is just being loaded cannot be stopped."""
        self.spare.dismiss()
        if not self.thread.close(_SECONDS_TO_REST):
            LOGGER.info("leaving while the engine is busy")
            os._exit(0)

    async def _serve(self) -> None:
        self._ending = asyncio.Event()
        with contextlib.suppress(ValueError, RuntimeError):  # not the main thread
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, self._ending.set)
        self._lifetime = Lifetime(self.thread, self.linger)
        self._http = HttpSetting(self.thread, self.load_engine)
        forget = self.thread.board.listen(partial(note_loaded, self.place, self.thread))
        async with self._listening():
            LOGGER.info("the engine process listens at %s", self.place.socket)
            looking = asyncio.ensure_future(self._look_after_itself())
            await self._ending.wait()
            looking.cancel()
            await self._http.close()
        forget()
        self.place.loaded_note.unlink(missing_ok=True)
        for task in list(self._connections):
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _listening(self) -> AsyncIterator[None]:
        """While the socket is open; a file left by a process that was killed is replaced."""
        path = self.place.socket
        path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        before = os.umask(0o177)
        try:
            listening.bind(str(path))
        finally:
            os.umask(before)
        server = await asyncio.start_unix_server(self._connected, sock=listening, limit=MAX_LINE)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            server.close()

    async def _look_after_itself(self) -> None:
        """End, release the model, or serve HTTP elsewhere, when the time for it has come."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if problem := await self._http.follow(self.thread.policy.http):
                self._tell_editors(f"Midline serves no HTTP: {problem}.")
            if self._lifetime.is_over(len(self._sessions)):
                LOGGER.info("nobody has needed the engine process for a while; it ends")
                self._ending.set()
            if reason := self._lifetime.reason_to_release():
                LOGGER.info("the memory of the model is freed: %s", reason)
                await asyncio.wrap_future(self.thread.release())
            if self._lifetime.is_quiet_again():
                return_free_memory()

    def _tell_editors(self, sentence: str) -> None:
        """Show a sentence in every window, once."""
        for session in self._sessions:
            if isinstance(session, MidlineServer) and session.is_initialized:
                session.tell(sentence)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Shake hands and do what the role asks for."""
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            if peer_user(writer.get_extra_info("socket")) != os.getuid():
                LOGGER.warning("refused a connection of another user")
                return
            hello = parsed(await asyncio.wait_for(reader.readline(), SECONDS), Hello)
            reply = self._reply(hello)
            if hello.role == HTTP:
                # What follows comes with a socket, which the stream would read and lose.
                writer.transport.pause_reading()  # type: ignore[attr-defined]
            writer.write(line(reply))
            await writer.drain()
            if reply.welcome and hello.role in (LSP, HTTP):
                await self._serve_session(reader, writer, hello)
        except (OSError, ValueError, TimeoutError) as error:
            LOGGER.warning("a connection came to nothing: %s", error)
        except asyncio.CancelledError:
            pass  # the process ends, or the session has stopped itself
        finally:
            self._connections.discard(task)
            writer.close()

    def _reply(self, hello: Hello) -> Reply:
        """What a client is told; a role that ends the process takes effect here."""
        is_ending = self._ending.is_set()
        welcome = hello.role in (STATUS, STOP)
        if hello.role in (LSP, HTTP):
            welcome = hello.fits and not is_ending
        elif hello.role == RETIRE:
            welcome = not self._sessions
        if welcome and hello.role in (STOP, RETIRE):
            LOGGER.info("asked to end by process %d", hello.pid)
            self._ending.set()
        report = self.report() if hello.role == STATUS else {}
        return Reply(
            welcome, os.getpid(), PROTOCOL, version("midline"), build(), len(self._sessions), report
        )

    async def _serve_session(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello
    ) -> None:
        """A session of the language server or of HTTP, until its client leaves."""
        serve = self._serve_editor if hello.role == LSP else self._serve_http
        LOGGER.info("process %d has connected", hello.pid)
        try:
            await serve(reader, writer, hello)
        finally:
            if not self._sessions:
                self._lifetime.client_left()
            LOGGER.info("process %d has left", hello.pid)

    async def _serve_editor(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello
    ) -> None:
        server = create_server(self.load_engine, self.thread)
        server.client_is_here = False  # its proxy is, and watches the client
        self._sessions[server] = hello
        try:
            await server.serve(reader, ClientWriter(writer))
        except SystemExit:
            pass
        finally:
            del self._sessions[server]
            server.leave()

    async def _serve_http(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, hello: Hello
    ) -> None:
        session = HttpSession(self.thread, self.load_engine)
        self._sessions[session] = hello
        try:
            await session.serve(reader, writer)
        finally:
            del self._sessions[session]

    def report(self) -> dict[str, Any]:
        """What `midline engine status` shows."""
        state = self.thread.board.current
        return {
            "socket": str(self.place.socket),
            "uptimeSeconds": round(time.time() - self.began, 1),
            "state": state.name,
            "message": state.message,
            "model": state.model,
            "modelInMemory": self.thread.engine is not None,
            "pauseModel": self.thread.pause.name,
            "memoryBytes": resident_bytes(),
            "tokensPerSecond": self.thread.board.tokens_per_second,
            "http": self._http.address,
            "clients": [
                {"pid": hello.pid, **_described(session)}
                for session, hello in self._sessions.items()
            ],
        }


def _described(session: MidlineServer | HttpSession) -> dict[str, Any]:
    """What a client is called and what it has."""
    if isinstance(session, HttpSession):
        return {"name": f"HTTP at {session.address}", "requests": session.requests}
    return {"name": session.client_name, "documents": len(session.session.documents)}
