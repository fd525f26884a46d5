"""A client that does not read is disconnected, and costs no memory without limit."""

import asyncio
import socket

import pytest

from midline.server.daemon import writer
from midline.server.daemon.writer import ClientWriter


async def test_a_client_that_never_reads_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "MOST_WAITING_BYTES", 100_000)
    ours, theirs = socket.socketpair()
    _, stream = await asyncio.open_connection(sock=ours)
    with theirs:
        client = ClientWriter(stream)
        with pytest.raises(BrokenPipeError):
            _fill(client)
        assert stream.transport.is_closing()
        with pytest.raises(BrokenPipeError):
            client.write(b"more")


def _fill(client: ClientWriter) -> None:
    for _ in range(1000):
        client.write(bytes(10_000))


async def test_what_is_written_arrives() -> None:
    ours, theirs = socket.socketpair()
    _, stream = await asyncio.open_connection(sock=ours)
    reader, _ = await asyncio.open_connection(sock=theirs)
    client = ClientWriter(stream)
    client.write(b"hello\n")
    client.close()
    assert await reader.read() == b"hello\n"
