"""The command: where it listens, what it refuses, and how it ends."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

COMMAND = "import sys; from midline.server.cli.main import main; sys.exit(main())"


def call(*words: str, home: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "MIDLINE_HOME": str(home), **variables}
    return subprocess.run(
        [sys.executable, "-P", "-c", COMMAND, "serve", *words],
        capture_output=True, text=True, timeout=60, env=environment, check=False,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["--http", "0.0.0.0:0"], "0.0.0.0 is reached by other machines: write a token"),
        (["--http", "nowhere"], "--http 'nowhere' is not of the form [HOST:]PORT"),
        (["--http", "0", "--tcp", "0"], "--tcp and --http are two servers; start one of them"),
        (["--http", "203.0.113.9:0"], "203.0.113.9 is reached by other machines"),
    ],
)
def test_a_wrong_call_is_a_sentence(words: list[str], sentence: str, tmp_path: Path) -> None:
    found = call(*words, home=tmp_path)
    assert found.returncode == 2 and sentence in found.stderr
    assert found.stderr.count("\n") == 1


def test_an_address_that_is_not_this_machines_is_named(tmp_path: Path) -> None:
    found = call("--http", "203.0.113.9:0", home=tmp_path, MIDLINE_HTTP_TOKEN="x" * 20)
    assert found.returncode == 2 and "cannot listen on 203.0.113.9:0" in found.stderr


def test_a_model_that_is_not_there_ends_the_server(tmp_path: Path) -> None:
    for own in ([], ["--own"]):
        words = ["--http", "127.0.0.1:0", "--model", "smollm2-135m", *own]
        found = call(*words, home=tmp_path, MIDLINE_ENGINE_SECONDS="0")
        assert found.returncode == 1
        assert "midline model pull smollm2-135m" in found.stderr


@pytest.mark.parametrize("own", [[], ["--own"]], ids=["engine process", "own"])
def test_it_serves_until_an_interrupt(tiny_qwen2: Path, tmp_path: Path, own: list[str]) -> None:
    environment = {**os.environ, "MIDLINE_HOME": str(tmp_path), "MIDLINE_ENGINE_SECONDS": "0"}
    words = ["serve", "--http", "127.0.0.1:0", "--model", str(tiny_qwen2), "--threads", "1", *own]
    running = subprocess.Popen(
        [sys.executable, "-P", "-c", COMMAND, *words],
        stderr=subprocess.PIPE, text=True, env=environment,
    )  # fmt: skip
    assert running.stderr is not None
    try:
        address = re.search(r"serving (http://127\.0\.0\.1:\d+)", running.stderr.readline())
        assert address is not None
        body = json.dumps({"prompt": "def f(", "max_tokens": 3}).encode()
        with urlopen(Request(f"{address[1]}/v1/completions", body), timeout=60) as answer:
            assert json.loads(answer.read())["model"] == tiny_qwen2.stem
        running.send_signal(signal.SIGINT)
        assert running.wait(30) in (0, 130)
    finally:
        running.kill()
        running.wait()
        running.stderr.close()


def test_the_language_server_starts_without_it() -> None:
    code = (
        "import sys, midline.server.cli.commands.serve; "
        "print([m for m in ('starlette', 'uvicorn', 'prometheus_client') if m in sys.modules])"
    )
    found = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == "[]"
