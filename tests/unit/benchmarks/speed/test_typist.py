"""The typist: what it types is what was there, and every request is kept."""

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.speed.keystroke import figures
from midline.benchmarks.speed.typist import Reply, Typist, offset_behind
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.lsp.server import MidlineServer

LINES = ["def f(value):", "    first = value", "", "    # é😀", "    return first", "", "f(1)"]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("typist") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def typed(tokenizer: Tokenizer, answer: str, seconds: float = 0.0) -> tuple[Typist, str]:
    """A typist who has typed lines 1 to 4 of LINES, and the document then."""
    engine: Any = FakeEngine(tokenizer, lambda prompt: answer, seconds)

    async def work() -> tuple[Typist, str]:
        server = MidlineServer()
        await asyncio.wrap_future(server.engine.load(lambda: engine))
        server.load_settled.set()
        typist = Typist(server, random.Random(1))
        without = "\n".join([LINES[0], *LINES[5:]])
        uri = typist.open(Path("/nowhere/a.py"), without)
        await typist.look(uri, len(LINES[0]))
        await typist.type_lines(uri, len(LINES[0]), LINES[1:5])
        await typist.close()
        server.engine.close(5)
        return typist, server.session.documents[uri].text

    return asyncio.run(work())


def test_what_is_typed_is_the_file_again(tokenizer: Tokenizer) -> None:
    typist, text = typed(tokenizer, "1")
    assert text == "\n".join(LINES)
    keys = sum(len(line.lstrip()) for line in LINES[1:5])
    counts = [sum(r.after == after for r in typist.replies) for after in ("open", "enter", "key")]
    assert counts == [1, 4, keys]


def test_what_is_right_is_typed_along_and_what_is_slow_is_given_up(tokenizer: Tokenizer) -> None:
    along, _ = typed(tokenizer, "\n".join(["", *LINES[1:3]]))
    assert sum(reply.is_typed_ahead for reply in along.replies) >= len("first = value") - 1
    slow, _ = typed(tokenizer, "abc" * 7, seconds=0.02)
    given_up = [reply for reply in slow.replies if reply.seconds is None]
    assert len(given_up) >= 10
    assert slow.replies[-len(given_up) :] == given_up
    assert all(reply.after == "key" for reply in given_up)
    assert min(r.seconds for r in slow.replies if r.seconds and not r.is_typed_ahead) >= 0.02


def test_lines_end_where_they_end() -> None:
    assert [offset_behind("ab\n\ncd", line) for line in range(3)] == [2, 3, 6]


def test_figures_count_each_kind_apart(tokenizer: Tokenizer) -> None:
    replies = [
        Reply("key", n / 1000, False, "x", recomputed=n, prompt_tokens=9) for n in range(1, 101)
    ]
    replies += [Reply("key", 0.0001, True, "x"), Reply("key", None, False, "", 7, 9)]
    replies += [Reply("key", None, False, "")]
    replies += [Reply("enter", 0.3, False, "x", 50, 99), Reply("enter", 0.0001, True, "x")]
    replies += [Reply("open", 1.2, False, "", 500, 500)]
    found = figures(replies, 3, 1024, tokenizer)
    assert "sparsity" not in found["rows"][0]  # the server's settings have it: `measure` adds it
    reply = found["reply_ms"]
    assert [reply[name] for name in ("count", "median", "percentile_95", "max")] == pytest.approx(
        [100, 50.5, 95, 100]
    )
    assert found["recomputed_tokens"]["count"] == 101
    assert found["typed_ahead_ms"]["count"] == found["typed_ahead"] == 1
    assert (found["keystrokes"], found["given_up"], found["lines"]) == (103, 2, 3)
    assert found["after_enter_ms"]["max"] == pytest.approx(300)
    assert found["cold_ms"] == {"count": 1, "median": 1200, "percentile_95": 1200, "max": 1200}
    assert found["nothing_shown"] == 0
    assert (found["context_tokens"]["count"], found["whole_windows"]) == (101, 0.0)
    assert figures([], 0, 0, tokenizer)["reply_ms"] == {"count": 0}
