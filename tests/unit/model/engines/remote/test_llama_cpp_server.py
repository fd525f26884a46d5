"""The remote engine in front of llama.cpp's server, as llama-cpp-python brings it."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from midline.model.completion.complete import complete
from midline.model.completion.fim import Cursor
from midline.model.engines.base import SamplingOptions
from midline.model.engines.remote.endpoint import RemoteOptions
from midline.model.engines.remote.engine import RemoteEngine
from midline.model.errors import MidlineError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        not all(map(find_spec, ("llama_cpp", "fastapi", "sse_starlette", "pydantic_settings"))),
        reason="llama-cpp-python[server] is not installed",
    ),
]


@pytest.fixture
def subject(qwen05_path: Path) -> Iterator[RemoteEngine]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["--model", str(qwen05_path), "--model_alias", "qwen2.5-coder", "--n_ctx", "2048"]
    running = subprocess.Popen(
        [sys.executable, "-m", "llama_cpp.server", *words, "--port", str(port)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield _loaded(f"http://127.0.0.1:{port}")
    finally:
        running.terminate()
        running.wait(30)


def _loaded(url: str) -> RemoteEngine:
    deadline = time.monotonic() + 60
    while True:
        try:
            return RemoteEngine.load("any", RemoteOptions(url))
        except MidlineError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.5)


def test_a_line_is_completed(subject: RemoteEngine) -> None:
    cursor = Cursor(b"def add(a, b):\n    ret", b"\n\nprint(add(1, 2))\n", 1, "sums.py")
    found = complete(subject, cursor, SamplingOptions(max_tokens=24))
    assert found.suggestions[0].text == "urn a + b"
