"""`midline serve`: standard output for the protocol, one client a port, a quick end."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from editor import MIDLINE, editing
from lsprotocol import types
from pygls.lsp.client import LanguageClient


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


@pytest.mark.parametrize("address", ["5007", ":5007", "here:port", "127.0.0.1:99999"])
def test_a_wrong_address_is_one_sentence(address: str) -> None:
    done = subprocess.run([*MIDLINE, "--tcp", address], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "HOST:PORT" in done.stderr


def test_a_taken_address_is_one_sentence() -> None:
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
