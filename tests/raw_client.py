"""A client that sends whatever bytes it likes: for what a real one would never say."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editor import FAKE_SERVER

from midline.server.lsp.framing import read_messages

SECONDS = 30.0


def framed(message: Any, header: str = "Content-Length: ") -> bytes:
    """The bytes of a message, which may be bytes itself."""
    body = message if isinstance(message, bytes) else json.dumps(message).encode()
    return f"{header}{len(body)}\r\n\r\n".encode() + body


def request(id: Any, method: str, params: Any = None, **more: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": id, "method": method, "params": params, **more}


def notification(method: str, params: Any = None) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def initialize(id: Any = 0, **params: Any) -> dict[str, Any]:
    return request(id, "initialize", {"processId": None, "capabilities": {}, **params})


@dataclass
class RawClient:
    """A server process and the streams of its standard input and output."""

    process: asyncio.subprocess.Process

    def send(self, *messages: Any) -> None:
        for message in messages:
            self.write(framed(message))

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)

    async def messages(self) -> AsyncIterator[dict[str, Any]]:
        """Everything that the server says, until it ends."""
        assert self.process.stdout is not None
        async for body in read_messages(self.process.stdout):
            assert isinstance(body, bytes)
            yield json.loads(body)

    async def answers(self, count: int, seconds: float = SECONDS) -> list[dict[str, Any]]:
        """The next answers, without what else the server says."""
        found: list[dict[str, Any]] = []

        async def collect() -> None:
            async for message in self.messages():
                if "method" not in message:
                    found.append(message)
                if len(found) == count:
                    return

        await asyncio.wait_for(collect(), seconds)
        return found

    async def ask(self, message: Any, seconds: float = SECONDS) -> dict[str, Any]:
        self.send(message)
        (answer,) = await self.answers(1, seconds)
        return answer

    async def leave(self) -> int:
        """Shut down as the protocol wants it; the exit status."""
        answer = await self.ask(request("leave", "shutdown"))
        assert answer == {"jsonrpc": "2.0", "id": "leave", "result": None}
        self.send(notification("exit"))
        return await asyncio.wait_for(self.process.wait(), SECONDS)


@asynccontextmanager
async def raw_client(
    folder: Path, *command: str, ready: bool = True, home: str | None = "", **fake: Any
) -> AsyncIterator[RawClient]:
    """A client of a fake server, or of `command`; `ready` initializes it. Killed at the end.

    home: of the server; in `folder` if it is empty, none where it is None.
    """
    environment = {
        **os.environ,
        "MIDLINE_FAKE": json.dumps(
            {"log": str(folder / "asked.jsonl"), "folder": str(folder), **fake}
        ),
        "MIDLINE_HOME": home or str(folder / "home"),
    }
    if home is None:
        del environment["MIDLINE_HOME"]
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(command or (sys.executable, "-P", str(FAKE_SERVER))),
        stdin=pipe,
        stdout=pipe,
        env=environment,
        limit=1 << 24,
    )
    client = RawClient(process)
    try:
        if ready:
            assert "capabilities" in (await client.ask(initialize()))["result"]
            client.send(notification("initialized", {}))
        yield client
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
