"""Nothing reaches for the network unasked: neither an import, nor a completion, nor the server."""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from raw_client import initialize, notification, raw_client, request
from tiny_model import QWEN2, write_tiny_model

GUARD = """
import runpy, sys
def guard(event, arguments):
    if event in ("socket.getaddrinfo", "socket.gethostbyname"):
        raise AssertionError(f"resolves {arguments}")
    if event in ("socket.connect", "socket.bind", "socket.sendto"):
        if arguments[0].family.name != "AF_UNIX":
            raise AssertionError(f"{event} {arguments[1]}")
sys.addaudithook(guard)
sys.argv = ["midline", *sys.argv[1:]]
"""
RUN = 'runpy.run_module("midline.server.cli.main", run_name="__main__")'
COMMAND = (sys.executable, "-P", "-c", GUARD + RUN)
PROXY = f"""
from midline.server.daemon import serving, starting
starter = starting.Starter({(*COMMAND, "engine", "run", "--at")!r})
sys.exit(serving.serve_through_engine(starter.connect, lambda notice: 3))
"""

URI = "file:///a.py"
ITEM = {
    "textDocument": {
        "uri": URI,
        "languageId": "python",
        "version": 1,
        "text": "def a(b):\n    \n",
    }
}
WHERE = {"textDocument": {"uri": URI}, "position": {"line": 1, "character": 4}}


def guarded(home: Path, *words: str) -> subprocess.CompletedProcess[bytes]:
    """A command that fails when it connects to anything, listens or asks for an address."""
    return subprocess.run(
        [*COMMAND, *words],
        capture_output=True,
        env={**os.environ, "MIDLINE_HOME": str(home)},
        timeout=100,
    )


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_tiny_model(tmp_path_factory.mktemp("model") / "tiny.gguf", QWEN2))


def test_the_guard_sees_a_connection(home: Path) -> None:
    done = guarded(home, "model", "pull", "smollm2-135m", "--from", "hub")
    assert done.returncode == 1 and b"cannot reach" in done.stderr
    assert b"resolves" in done.stderr


@pytest.mark.parametrize("words", [["complete"], ["generate", "x = ", "--prompt", "chat"]])
def test_a_completion_asks_nobody(home: Path, model: str, tmp_path: Path, words: list[str]) -> None:
    source = tmp_path / "a.py"
    source.write_text("def add(a, b):\n    \n")
    place = [f"{source}:2:5"] if words == ["complete"] else []
    done = guarded(home, *words, *place, "--model", model, "--json", "--max-tokens", "4")
    assert (done.returncode, done.stderr) == (0, b"")
    assert json.loads(done.stdout)["completions"]


@pytest.mark.skipif(shutil.which("strace") is None, reason="strace is not installed")
async def test_the_system_sees_no_connection_but_of_this_machine(
    tmp_path: Path, home: Path, model: str
) -> None:
    """All processes of a session, libraries included, with HTTP served beside it."""
    traced = tmp_path / "calls"
    calls = "connect,sendto,sendmsg,sendmmsg,bind"
    strace = ("strace", "-f", "--seccomp-bpf", "-qq", "-o", str(traced), "-e", f"trace={calls}")
    midline = (sys.executable, "-P", "-m", "midline.server.cli.main", "serve")
    async with raw_client(tmp_path, *strace, *midline, ready=False, home=str(home)) as client:
        options = {"model": model, "maxTokens": 4, "http": "127.0.0.1:0"}
        assert "result" in await client.ask(initialize(1, initializationOptions=options))
        client.send(notification("initialized", {}), notification("textDocument/didOpen", ITEM))
        asks = {**WHERE, "context": {"triggerKind": 1}}
        assert "result" in await client.ask(request(2, "textDocument/inlineCompletion", asks))
        url = await _served(home)
        body = json.dumps({"prompt": "x = ", "max_tokens": 3}).encode()
        answer = await asyncio.to_thread(urlopen, Request(f"{url}/v1/completions", body))
        assert json.loads(answer.read())["choices"]
        assert await client.leave() == 0
    guarded(home, "engine", "stop")
    found = traced.read_text()
    assert "AF_UNIX" in found and "htons(0)" in found  # the engine's socket, and that of HTTP
    addresses = re.findall(r'sin6?_addr\D*?\(?"?([0-9a-fA-F:.]+)"', found)
    assert addresses and {a for a in addresses if not a.startswith("127.")} == set()
    assert "htons(53)" not in found


async def _served(home: Path) -> str:
    """Where the engine process serves HTTP, as soon as it does."""
    async with asyncio.timeout(60):
        while True:
            done = await asyncio.to_thread(guarded, home, "engine", "status", "--json")
            (report,) = json.loads(done.stdout)["engines"]
            if report["http"]:
                return f"http://{report['http']}"
            await asyncio.sleep(0.1)


@pytest.mark.parametrize(
    "command",
    [(*COMMAND, "serve", "--own"), (sys.executable, "-P", "-c", GUARD + PROXY)],
    ids=["own", "engine process"],
)
async def test_the_server_asks_nobody(
    tmp_path: Path, home: Path, model: str, command: tuple[str, ...]
) -> None:
    async with raw_client(tmp_path, *command, ready=False) as client:
        options = {"model": model, "maxTokens": 4}
        assert "result" in await client.ask(initialize(1, initializationOptions=options))
        client.send(notification("initialized", {}))
        client.send(notification("textDocument/didOpen", ITEM))
        asks = {**WHERE, "context": {"triggerKind": 1}}
        assert "result" in await client.ask(request(2, "textDocument/inlineCompletion", asks))
        assert await client.leave() == 0
    log = (tmp_path / "home" / "logs" / "midline.log").read_text()
    assert "prompt tokens" in log  # the model has completed
    assert "AssertionError" not in log
