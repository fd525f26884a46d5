"""Where messages come from: any kind of standard input, and the first client that speaks LSP."""

import asyncio
import json
import os
import re
from pathlib import Path

import pytest
from raw_client import framed, initialize

from midline.model.errors import UsageError
from midline.server.lsp import transports
from midline.server.lsp.transports import Client, first_client, is_loopback, read_descriptor

HEADER = b"Content-Length: 2\r\n"
POST = (
    b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: https://example.org\r\nContent-Type: text/plain"
    b"\r\nContent-Length: 23\r\n\r\nContent-Length: 2\r\n\r\n{}\r\n"
)


async def test_a_pipe_a_file_and_a_closed_descriptor_are_read(tmp_path: Path) -> None:
    read, write = os.pipe()
    reader = await read_descriptor(read)
    os.write(write, b"first\n")
    assert await asyncio.wait_for(reader.readline(), 20) == b"first\n"
    os.write(write, b"rest")
    os.close(write)
    assert await asyncio.wait_for(reader.read(), 20) == b"rest"
    path = tmp_path / "messages"
    path.write_bytes(b"x" * 1_000_000)
    descriptor = os.open(path, os.O_RDONLY)
    reader = await read_descriptor(descriptor)
    assert len(await asyncio.wait_for(reader.read(), 20)) == 1_000_000
    os.close(descriptor)
    assert await asyncio.wait_for((await read_descriptor(descriptor)).read(), 20) == b""


async def _port(capfd: pytest.CaptureFixture[str]) -> int:
    said = ""
    while "listening" not in said:
        await asyncio.sleep(0.01)
        said += capfd.readouterr().err
    found = re.search(r"listening on \S+:(\d+)\n", said)
    assert found is not None
    return int(found[1])


async def _client(token: str | None = None) -> Client:
    async with first_client("127.0.0.1", 0, token) as client:
        return client


@pytest.mark.parametrize(
    "other", [POST, b"", b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\n", b"\0" * 99]
)
async def test_what_does_not_speak_lsp_never_gets_the_place(
    other: bytes, capfd: pytest.CaptureFixture[str]
) -> None:
    waiting = asyncio.ensure_future(_client())
    port = await _port(capfd)
    for _ in range(3):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(other)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 20) == b""  # no answer, and closed
        writer.close()
    silent = await asyncio.open_connection("127.0.0.1", port)  # says nothing, and is waited for
    assert not waiting.done()
    _, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEADER)
    client = await asyncio.wait_for(waiting, 20)
    assert client.begun == HEADER
    with pytest.raises(OSError, match=r".+"):
        await asyncio.open_connection("127.0.0.1", port)
    silent[1].close()
    writer.close()


async def test_a_second_client_is_dropped(capfd: pytest.CaptureFixture[str]) -> None:
    waiting = asyncio.ensure_future(_client())
    port = await _port(capfd)
    late_reader, late = await asyncio.open_connection("127.0.0.1", port)
    _, first = await asyncio.open_connection("127.0.0.1", port)
    first.write(HEADER)
    await asyncio.wait_for(waiting, 20)
    late.write(HEADER)
    assert await asyncio.wait_for(late_reader.read(), 20) == b""
    first.close()
    late.close()


@pytest.mark.parametrize(("host", "warned"), [("127.0.0.1", False), ("0.0.0.0", True)])
async def test_what_is_open_is_said(
    host: str, warned: bool, capfd: pytest.CaptureFixture[str]
) -> None:
    async def listen() -> None:
        async with first_client(host, 0):
            pass

    with pytest.raises(TimeoutError):
        await asyncio.wait_for(listen(), 0.2)
    said = capfd.readouterr().err
    assert said.startswith(f"midline: listening on {host}:")
    assert (
        "every machine that reaches this port can connect, without a password" in said
    ) is warned


async def test_an_address_of_no_use_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match=r"cannot listen on 192\.0\.2\.1:5007"):
        async with first_client("192.0.2.1", 5007):
            pass


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("127.0.0.1", True),
        ("127.9.9.9", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.5", False),
        ("fe80::1%eth0", False),
        ("example.org", False),
    ],
)
def test_loopback_is_told_from_the_rest(host: str, wanted: bool) -> None:
    assert is_loopback(host) is wanted


@pytest.mark.parametrize("options", [None, {}, {"token": "wrong"}, {"token": 3}, []])
async def test_a_client_without_the_token_leaves_the_port_to_the_next(
    options: object, capfd: pytest.CaptureFixture[str]
) -> None:
    waiting = asyncio.ensure_future(_client("the right token"))
    port = await _port(capfd)
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(initialize(1, initializationOptions=options)))
    answer = (await asyncio.wait_for(reader.read(), 20)).decode()
    assert "the token is missing or wrong" in answer and not waiting.done()
    writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    right = json.dumps(initialize(2, initializationOptions={"token": "the right token"})).encode()
    writer.write(framed(right))
    client = await asyncio.wait_for(waiting, 20)
    assert client.first == right
    writer.close()
    client.writer.close()


async def test_a_first_message_that_does_not_come_is_not_waited_for(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transports, "FIRST_SECONDS", 0.05)
    waiting = asyncio.ensure_future(_client("the right token"))
    reader, writer = await asyncio.open_connection("127.0.0.1", await _port(capfd))
    writer.write(HEADER)
    assert await asyncio.wait_for(reader.read(), 20) == b"" and not waiting.done()
    writer.close()
    waiting.cancel()
