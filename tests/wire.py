"""A client and a server of the language server in one process, connected by a pair of sockets."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any

from raw_client import framed, initialize, notification

from midline.server.lsp.engine_thread import EngineThread
from midline.server.lsp.framing import read_messages
from midline.server.lsp.model_loader import LoadEngine
from midline.server.lsp.server import MidlineServer, create_server

SECONDS = 20.0


@dataclass
class Wire:
    """A client that agrees to everything; `heard` are the notifications of the server.

    edits: the parameters of every `workspace/applyEdit`.
    """

    server: MidlineServer
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: list[dict[str, Any]] = field(default_factory=list)
    edits: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[Any, "asyncio.Future[dict[str, Any]]"] = field(default_factory=dict)

    def send(self, *messages: Any) -> None:
        for message in messages:
            self.writer.write(framed(message))

    async def ask(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer to a request."""
        return await asyncio.wait_for(self.asked(message), SECONDS)

    def asked(self, message: dict[str, Any]) -> "asyncio.Future[dict[str, Any]]":
        """The answer to a request, to come."""
        answer = self.answers[message["id"]] = asyncio.get_running_loop().create_future()
        self.send(message)
        return answer

    async def listen(self) -> None:
        async for body in read_messages(self.reader):
            assert isinstance(body, bytes)
            message = json.loads(body)
            if "method" not in message:
                self.answers.pop(message["id"]).set_result(message)
            elif "id" in message:
                self.send({"jsonrpc": "2.0", "id": message["id"], "result": self._agree(message)})
            else:
                self.heard.append(message)

    def _agree(self, message: dict[str, Any]) -> dict[str, Any] | None:
        if message["method"] != "workspace/applyEdit":
            return None
        self.edits.append(message["params"])
        return {"applied": True}

    def said(self, method: str) -> list[dict[str, Any]]:
        """The parameters of the server's notifications of a method."""
        return [message["params"] for message in self.heard if message["method"] == method]

    async def until(self, condition: Callable[[], Any]) -> None:
        """Wait until a condition holds."""
        async with asyncio.timeout(SECONDS):
            while not condition():
                await asyncio.sleep(0.005)

    def open(self, text: str, uri: str = "file:///a.py", language: str = "python") -> str:
        item = {"uri": uri, "languageId": language, "version": 1, "text": text}
        self.send(notification("textDocument/didOpen", {"textDocument": item}))
        return uri


def asking(id: Any, uri: str, line: int, character: int, kind: int = 2) -> dict[str, Any]:
    """A request for ghost text; of kind 1 by hand, of kind 2 while typing."""
    params = {
        "textDocument": {"uri": uri},
        "position": {"line": line, "character": character},
        "context": {"triggerKind": kind},
    }
    return {"jsonrpc": "2.0", "id": id, "method": "textDocument/inlineCompletion", "params": params}


def executing(id: Any, command: str, *arguments: Any) -> dict[str, Any]:
    """A request to execute a command."""
    params = {"command": command, "arguments": list(arguments)}
    return {"jsonrpc": "2.0", "id": id, "method": "workspace/executeCommand", "params": params}


@contextlib.asynccontextmanager
async def wired(
    load: LoadEngine,
    thread: EngineThread | None = None,
    capabilities: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[Wire]:
    """A client of a server that loads its engines with `load`; `options` are its settings.

    With a `thread` of the caller's the engine is shared, and stays. `capabilities` come on top of
    progress and ghost text.
    """
    ours, theirs = socket.socketpair()
    shared = thread or EngineThread()
    server = create_server(load, shared)
    served = asyncio.ensure_future(
        server.serve(*(await asyncio.open_connection(sock=theirs, limit=1 << 24)))
    )
    reader, writer = await asyncio.open_connection(sock=ours, limit=1 << 24)
    wire = Wire(server, reader, writer)
    listening = asyncio.ensure_future(wire.listen())
    try:
        can = {
            "window": {"workDoneProgress": True},
            "textDocument": {"inlineCompletion": {}},
            **(capabilities or {}),
        }
        first = initialize("initialize", capabilities=can, initializationOptions=options)
        assert "result" in await wire.ask(first)
        wire.send(notification("initialized", {}))
        yield wire
    finally:
        writer.close()
        await asyncio.wait_for(served, SECONDS)
        server.leave()
        listening.cancel()
        if thread is None:
            assert shared.close(SECONDS)
