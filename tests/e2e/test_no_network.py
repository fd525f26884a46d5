"""Nothing reaches for the network unasked: neither an import, nor a completion, nor the server."""

import json
import os
import subprocess
import sys
from pathlib import Path

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


@pytest.mark.parametrize(
    "command",
    [(*COMMAND, "serve", "--own"), (sys.executable, "-P", "-c", GUARD + PROXY)],
    ids=["own", "engine process"],
)
async def test_the_server_asks_nobody(
    tmp_path: Path, home: Path, model: str, command: tuple[str, ...]
) -> None:
    item = {
        "uri": "file:///a.py",
        "languageId": "python",
        "version": 1,
        "text": "def a(b):\n    \n",
    }
    where = {"textDocument": {"uri": "file:///a.py"}, "position": {"line": 1, "character": 4}}
    async with raw_client(tmp_path, *command, ready=False) as client:
        options = {"model": model, "maxTokens": 4}
        assert "result" in await client.ask(initialize(1, initializationOptions=options))
        client.send(notification("initialized", {}))
        client.send(notification("textDocument/didOpen", {"textDocument": item}))
        asks = {**where, "context": {"triggerKind": 1}}
        assert "result" in await client.ask(request(2, "textDocument/inlineCompletion", asks))
        assert await client.leave() == 0
    log = (tmp_path / "home" / "logs" / "midline.log").read_text()
    assert "prompt tokens" in log  # the model has completed
    assert "AssertionError" not in log
