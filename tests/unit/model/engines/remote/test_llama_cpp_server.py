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
from midline.model.engines.base import DrawnToken, Request, SamplingOptions
from midline.model.engines.remote.endpoint import RemoteOptions
from midline.model.engines.remote.engine import RemoteEngine
from midline.model.errors import MidlineError
from midline.model.tokenizer.chat_template import render_chat

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


def test_a_question_is_answered(subject: RemoteEngine) -> None:
    question = "Write a Python function add(a, b) that returns the sum. Only code."
    prompt = render_chat(subject.tokenizer, [{"role": "user", "content": question}])
    heard: list[DrawnToken] = []
    found = subject.generate(Request(prompt), SamplingOptions(max_tokens=80), on_token=heard.append)
    (completion,) = found.completions
    assert "def add(a, b):" in completion.text and "return a + b" in completion.text
    assert "<|im_end|>" not in completion.text and completion.finish_reason == "stop"
    assert [token.id for token in heard] == completion.ids


def test_several_samples_and_a_seed(subject: RemoteEngine) -> None:
    prompt = subject.tokenizer.encode("def fibonacci(n):\n")
    options = SamplingOptions(max_tokens=12, temperature=0.9, seed=5)
    (first,) = subject.generate(Request(prompt), options).completions
    (again,) = subject.generate(Request(prompt), options).completions
    assert first.text == again.text != ""
    stop = Request(prompt, stop=lambda _, ids: len(ids) >= 3)
    (short,) = subject.generate(stop, options).completions
    assert len(short.ids) == 3 and short.finish_reason == "stop"


def test_a_prompt_longer_than_the_servers_context_is_a_sentence(subject: RemoteEngine) -> None:
    subject.context_length = 1 << 20
    prompt = subject.tokenizer.encode("x = 1\n" * 3000)
    with pytest.raises(MidlineError, match="longer than their context; start it with a longer"):
        subject.generate(Request(prompt), SamplingOptions())


def test_a_line_is_completed(subject: RemoteEngine) -> None:
    cursor = Cursor(b"def add(a, b):\n    return", b"\n\nprint(add(1, 2))\n", 1, "sums.py")
    found = complete(subject, cursor, SamplingOptions(max_tokens=24))
    assert found.suggestions[0].text == " a + b"
