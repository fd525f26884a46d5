"""`midline serve`: standard output for the protocol, one client a port, a quick end."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from editor import MIDLINE, editing
from lsprotocol import types
from pygls.lsp.client import LanguageClient
from raw_client import framed, initialize, notification, raw_client, request

from midline.server.lsp.framing import read_messages


async def test_noise_never_reaches_the_protocol(tmp_path: Path) -> None:
    """print, write(2), C's puts and a child process: the client would fail on any of them."""
    async with editing(tmp_path, noise="Content-Length: 5\r\n\r\n{}", answer="1") as editor:
        uri = editor.open("x = \n")
        for _ in range(3):
            assert await editor.ghost(uri, 0, 4) == "1"
        assert editor.client.error is None


def test_noise_goes_to_standard_error(tmp_path: Path) -> None:
    code = (
        "import os, subprocess, sys\n"
        "from midline.server.lsp.stdio import claim_stdout\n"
        "out = claim_stdout()\n"
        "print('printed', flush=True); os.write(1, b'written\\n')\n"
        "subprocess.run([sys.executable, '-c', 'print(\"child\")'])\n"
        "out.write(b'protocol'); out.flush()\n"
    )
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True)
    assert done.stdout == "protocol"
    assert {"printed", "written", "child"} <= set(done.stderr.splitlines())


async def test_the_end_does_not_wait_for_the_engine(tmp_path: Path) -> None:
    async with editing(tmp_path, answer="a, " * 500, seconds=0.2) as editor:
        editor.ask(editor.open("x = [\n"), 0, 5)
        await editor.until_asked(1)
        began = time.monotonic()
        await editor.client.shutdown_session()
        assert time.monotonic() - began < 4.0
        server = editor.client._server
        assert server is not None
        assert server.returncode == 0
        editor.client.capabilities = None


async def test_leaving_without_shutdown_is_a_failure(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        editor.client.exit(None)
        server = editor.client._server
        assert server is not None
        assert await server.wait() == 1
        editor.client.capabilities = None


async def test_one_client_over_tcp(tmp_path: Path, home: Path) -> None:
    command = [*MIDLINE, "--tcp", "127.0.0.1:0"]
    server = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    assert server.stderr is not None
    said = (await server.stderr.readline()).decode()
    assert said.startswith("midline: listening on 127.0.0.1:")
    client = LanguageClient("tests", "1")
    await client.start_tcp("127.0.0.1", int(said.rsplit(":", 1)[1]))
    result = await client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
    assert result.capabilities.inline_completion_provider is not None
    await client.shutdown_async(None)
    client.exit(None)
    assert await asyncio.wait_for(server.wait(), 20) == 0
    await client.stop()


async def test_a_browser_does_not_get_the_place_of_the_client(tmp_path: Path, home: Path) -> None:
    body = json.dumps(initialize()).encode()
    post = b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(framed(body)) + framed(body)
    server = await asyncio.create_subprocess_exec(
        *MIDLINE, "--tcp", "0", stderr=asyncio.subprocess.PIPE
    )
    assert server.stderr is not None
    said = (await server.stderr.readline()).decode()
    assert said.startswith("midline: listening on 127.0.0.1:")
    port = int(said.rsplit(":", 1)[1])
    for sent in (b"", post):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(sent)
        writer.write_eof()
        assert await asyncio.wait_for(reader.read(), 20) == b""
        writer.close()
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(framed(initialize(7)) + framed(request(8, "shutdown")))
    found = []
    async for message in read_messages(reader):
        found.append(json.loads(message))
        if len(found) == 2:
            writer.write(framed(notification("exit")))
    assert [answer["id"] for answer in found] == [7, 8]
    assert await asyncio.wait_for(server.wait(), 20) == 0


async def test_one_interrupt_ends_the_server(tmp_path: Path) -> None:
    async with raw_client(tmp_path) as client:
        client.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(client.process.wait(), 20) == 130


async def test_one_interrupt_ends_a_server_that_nobody_has_spoken_to(
    tmp_path: Path, home: Path
) -> None:
    async with raw_client(tmp_path, *MIDLINE, ready=False) as client:
        assert (await client.ask(b""))["error"]["code"] == -32700  # it has come up
        client.process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(client.process.wait(), 20) == 130


async def test_the_server_ends_with_the_process_of_its_client(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    async with raw_client(tmp_path, ready=False) as client:
        assert "result" in await client.ask(initialize(processId=parent.pid))
        assert client.process.returncode is None
        parent.communicate(b"\n")
        assert await asyncio.wait_for(client.process.wait(), 20) == 1


async def test_a_client_that_stops_reading_ends_the_server(tmp_path: Path) -> None:
    async with raw_client(tmp_path) as client:
        client.process._transport.get_pipe_transport(1).close()  # type: ignore[attr-defined]
        for id in range(3):
            client.send(request(id, "no/such"))
        assert await asyncio.wait_for(client.process.wait(), 20) == 1


async def test_frames_of_no_use_cost_only_themselves(tmp_path: Path) -> None:
    async with raw_client(tmp_path) as client:
        for length in (b"99999999999", b"9" * 5000, b"-5"):
            client.write(b"Content-Length: " + length + b"\r\n\r\n")
            (answer,) = await client.answers(1)
            assert (answer["id"], answer["error"]["code"]) == (None, -32600)
        client.write(framed(request(5, "no/such"), header="content-length:"))
        (answer,) = await client.answers(1)
        assert (answer["id"], answer["error"]["code"]) == (5, -32601)
        assert await client.leave() == 0


@pytest.mark.parametrize("closed", ["<&-", ">&-"])
def test_a_closed_standard_stream_is_one_sentence(closed: str) -> None:
    command = f"{' '.join(MIDLINE)} {closed}"
    done = subprocess.run(
        command, shell=True, stdin=subprocess.DEVNULL, capture_output=True, text=True
    )
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1 and "one is closed" in done.stderr


@pytest.mark.parametrize("address", ["here", "here:port", "127.0.0.1:99999", "1:" + "9" * 5000])
def test_a_wrong_address_is_one_sentence(address: str) -> None:
    done = subprocess.run([*MIDLINE, "--tcp", address], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "[HOST:]PORT" in done.stderr and len(done.stderr) < 200


def test_a_taken_address_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MIDLINE_HTTP_TOKEN", "a token of 16 or more")
    done = subprocess.run([*MIDLINE, "--tcp", "192.0.2.1:5007"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "cannot listen on 192.0.2.1:5007" in done.stderr
    assert done.stderr.count("\n") == 1


def test_settings_are_listed_as_json() -> None:
    done = subprocess.run([*MIDLINE, "--print-settings"], capture_output=True, text=True)
    assert done.returncode == 0
    settings = json.loads(done.stdout)
    assert settings["maxTokens"]["default"] == 64
    assert all(set(entry) == {"default", "allowed", "description"} for entry in settings.values())
