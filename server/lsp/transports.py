"""The transports: standard input, or the first client on a TCP port that speaks LSP."""

import asyncio
import contextlib
import ipaddress
import os
import socket
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import dataclass

from midline.model.errors import UsageError
from midline.server.logs import LOGGER
from midline.server.lsp.admission import is_admitted, refusal
from midline.server.lsp.framing import is_header, read_messages

FIRST_SECONDS = 30.0
"""Time for a first message that has to carry a token."""


@dataclass(frozen=True)
class Client:
    """A connection to the client; `begun` is the first line of its first message, or `first` is all
    of it, where that had to be read.
    """

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    begun: bytes = b""
    first: bytes | None = None


async def read_descriptor(descriptor: int) -> asyncio.StreamReader:
    """What comes in at a file descriptor of any kind, as a stream.

    A thread copies it, because a file cannot be waited for and a terminal should not be made
    non-blocking. Nobody waits for that thread, so the process can end while it reads.
    """
    ours, theirs = socket.socketpair()

    def copy() -> None:
        with theirs, contextlib.suppress(OSError):
            while data := os.read(descriptor, 1 << 16):
                theirs.sendall(data)

    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().create_connection(
        lambda: asyncio.StreamReaderProtocol(reader), sock=ours
    )
    threading.Thread(target=copy, daemon=True, name="standard-input").start()
    return reader


@contextlib.asynccontextmanager
async def first_client(host: str, port: int, token: str | None = None) -> AsyncIterator[Client]:
    """The first connection whose first line is a header of LSP; the port is closed behind it.

    With a token, the first of those whose first message carries it.

    Others are dropped and leave the port open: a browser's request, a port scan, a client that
    connects and leaves. Where it listens is said on standard error, so a port of 0 can be used.
    Raises UsageError when it cannot listen there.
    """
    chosen: asyncio.Future[Client] = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = None
        with contextlib.suppress(OSError, ValueError, TimeoutError, StopAsyncIteration):
            begun = await reader.readline()
            client = await _admitted(reader, writer, begun, token)
        if client is None or chosen.done():
            LOGGER.warning("refused a connection that does not begin as it should")
            writer.close()
        else:
            chosen.set_result(client)

    try:
        listener = await asyncio.start_server(connected, host, port)
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    _say_what_is_open([sock.getsockname()[:2] for sock in listener.sockets], token is not None)
    try:
        client = await chosen
    finally:
        listener.close()
    yield client


async def _admitted(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, begun: bytes, token: str | None
) -> Client | None:
    """The client of a connection with this first line, if it may have the session."""
    if not is_header(begun):
        return None
    if token is None:
        return Client(reader, writer, begun)
    async with asyncio.timeout(FIRST_SECONDS):
        body = await anext(read_messages(reader, begun))
    if not isinstance(body, bytes):
        return None
    if is_admitted(body, token):
        return Client(reader, writer, first=body)
    writer.write(refusal(body))
    await writer.drain()
    return None


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to an address."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    return host == "localhost"


def _say_what_is_open(addresses: list[tuple[str, int]], has_token: bool) -> None:
    for host, port in addresses:
        print(f"midline: listening on {host}:{port}", file=sys.stderr, flush=True)
    if not has_token and not all(is_loopback(host) for host, _ in addresses):
        print(
            "midline: warning: every machine that reaches this port can connect, without a "
            "password, and ask for completions; --tcp PORT listens for this machine only",
            file=sys.stderr,
            flush=True,
        )
