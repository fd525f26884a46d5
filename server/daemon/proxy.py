"""`midline serve`: passes messages between an editor and the engine process.

It follows the documents, so that when the engine process is gone it can start another, bring it to
where the last one was, and answer for it meanwhile. The editor sees one server that never ends.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO

from midline.model.errors import MidlineError
from midline.server.daemon.client_state import ClientState
from midline.server.daemon.handshake import Connection
from midline.server.daemon.places import NoEngineProcessError
from midline.server.logs import log_hint
from midline.server.lsp.framing import FramingError, framed, read_messages
from midline.server.lsp.parent import wait_for_end

LOGGER = logging.getLogger(__name__)
_STREAM_LIMIT = 1 << 20
_MOST_FRUITLESS, _PAUSE_SECONDS = 3, 10.0
"""After so many processes in a row that ended without an answer, the next is started after a pause.
"""
_INVALID_REQUEST = -32600

Connect = Callable[[], Connection]


class Proxy:
    """One editor's connection to the engine process, renewed by `connect` when it ends."""

    def __init__(self, connect: Connect, out: BinaryIO) -> None:
        self._connect, self._out = connect, out
        self._state = ClientState()
        self._engine: asyncio.StreamWriter | None = None
        self._fruitless = 0
        self._told: set[str] = set()
        self._parent = asyncio.Event()
        """Set when the process that the client named is known."""
        self._begun = asyncio.Event()
        """Set when the first engine process can be written to: nothing is read before."""

    async def serve(self, client: asyncio.StreamReader, first: Connection) -> int:
        """Pass messages on until the client leaves; the exit status that the protocol wants."""
        with_engine = asyncio.ensure_future(self._with_engine(first))
        with_client = asyncio.ensure_future(self._from_client(client))
        tasks = [with_engine, with_client, asyncio.ensure_future(self._while_client_runs())]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(result, Exception) and not isinstance(result, OSError):
                raise result
        return 0 if self._state.has_shut_down else MidlineError.exit_status

    async def _from_client(self, client: asyncio.StreamReader) -> None:
        """Every message of the client; ends when it leaves."""
        await self._begun.wait()
        async for body in read_messages(client):
            if isinstance(body, FramingError):
                error = {"code": _INVALID_REQUEST, "message": str(body)}
                self._tell_client([{"jsonrpc": "2.0", "id": None, "error": error}])
                continue
            message = _parsed(body)
            self._state.sent(message)
            if self._state.initialize is not None:
                self._parent.set()
            if self._state.has_left:
                return
            await self._to_engine(body)

    async def _to_engine(self, body: bytes) -> None:
        """Send a message; without an engine process, requests are answered with nothing."""
        if self._engine is None:
            if self._state.initialize is not None:
                self._tell_client(self._state.last_words())
            return
        self._engine.write(framed(body))
        with contextlib.suppress(ConnectionError):  # what reads from it notices, too
            await self._engine.drain()

    async def _with_engine(self, connection: Connection) -> None:
        """Read from one engine process after the other; ends when the client does not read."""
        while True:
            reader, writer = await asyncio.open_unix_connection(
                sock=connection.socket, limit=_STREAM_LIMIT
            )
            for message in self._state.replay():
                writer.write(framed(json.dumps(message).encode()))
            self._engine = writer
            self._begun.set()
            await self._from_engine(reader, writer)
            self._engine = None
            writer.close()
            self._tell_client(self._state.last_words())
            self._explain("Midline: the engine process has ended and is started again.")
            connection = await self._next_connection()

    async def _from_engine(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Every message of one engine process, to its end."""
        try:
            async for body in read_messages(reader):
                if isinstance(body, FramingError):
                    return
                message = _parsed(body)
                is_for_client, answer = self._state.received(message)
                if is_for_client:
                    if isinstance(message, dict) and "method" not in message:
                        self._fruitless = 0
                    self._write(body)
                if answer is not None:
                    writer.write(framed(json.dumps(answer).encode()))
        except ConnectionError:
            return

    async def _next_connection(self) -> Connection:
        """A connection to another engine process, however long that takes."""
        self._fruitless += 1
        pause = _PAUSE_SECONDS if self._fruitless >= _MOST_FRUITLESS else 0.0
        while True:
            await asyncio.sleep(pause)
            try:
                return await asyncio.to_thread(self._connect)
            except NoEngineProcessError as error:
                LOGGER.warning("%s", error)
                self._explain(f"Midline: {error}")
                pause = _PAUSE_SECONDS

    def _explain(self, sentence: str) -> None:
        """Show the user a sentence, once."""
        LOGGER.warning("%s", sentence)
        if self._state.is_initialized and sentence not in self._told:
            self._told.add(sentence)
            params = {"type": 2, "message": f"{sentence.rstrip('.')}; {log_hint()}"}
            self._tell_client(
                [{"jsonrpc": "2.0", "method": "window/showMessage", "params": params}]
            )

    def _tell_client(self, messages: Iterable[dict[str, Any]]) -> None:
        for message in messages:
            self._write(json.dumps(message).encode())

    def _write(self, body: bytes) -> None:
        """Send to the client; an OSError, if it does not read any more, ends the proxy."""
        self._out.write(framed(body))
        self._out.flush()

    async def _while_client_runs(self) -> None:
        """Wait for the end of the process that `initialize` names, if it names one."""
        await self._parent.wait()
        params = (self._state.initialize or {}).get("params")
        process = params.get("processId") if isinstance(params, dict) else None
        if not isinstance(process, int) or process <= 0:
            await asyncio.Event().wait()
        else:
            await wait_for_end(process)
            LOGGER.info("leaving: the client's process %d has ended", process)


def _parsed(body: bytes) -> Any:
    """The message, or None: the engine says what is wrong with it."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
