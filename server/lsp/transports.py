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
from midline.server.lsp.framing import is_header

LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Client:
    """A connection to the client; `begun` is the first line of its first message."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    begun: bytes


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
async def first_client(host: str, port: int) -> AsyncIterator[Client]:
    """The first connection whose first line is a header of LSP; the port is closed behind it.

    Others are dropped and leave the port open: a browser's request, a port scan, a client that
    connects and leaves. Where it listens is said on standard error, so a port of 0 can be used.
    Raises UsageError when it cannot listen there.
    """
    chosen: asyncio.Future[Client] = asyncio.get_running_loop().create_future()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        begun = b""
        with contextlib.suppress(OSError, ValueError):
            begun = await reader.readline()
        if chosen.done() or not is_header(begun):
            LOGGER.warning("refused a connection that does not begin as LSP does")
            writer.close()
        else:
            chosen.set_result(Client(reader, writer, begun))

    try:
        listener = await asyncio.start_server(connected, host, port)
    except OSError as error:
        raise UsageError(f"cannot listen on {host}:{port}: {error.strerror or error}") from error
    _say_what_is_open([sock.getsockname()[:2] for sock in listener.sockets])
    try:
        client = await chosen
    finally:
        listener.close()
    yield client


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to an address."""
    with contextlib.suppress(ValueError):
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    return host == "localhost"


def _say_what_is_open(addresses: list[tuple[str, int]]) -> None:
    for host, port in addresses:
        print(f"midline: listening on {host}:{port}", file=sys.stderr, flush=True)
    if not all(is_loopback(host) for host, _ in addresses):
        print(
            "midline: warning: every machine that reaches this port can connect, without a "
            "password, and ask for completions; --tcp PORT listens for this machine only",
            file=sys.stderr,
            flush=True,
        )
