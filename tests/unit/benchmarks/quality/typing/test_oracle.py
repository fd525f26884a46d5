"""The oracle: what it reads, what it remembers, and what is left of an answer that is typed."""

from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.quality.answers import Answers
from midline.benchmarks.quality.typing.files import Block, TypedFile
from midline.benchmarks.quality.typing.oracle import oracle
from midline.benchmarks.quality.typing.session import Position, rest_of
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

LINES = ("    total = 1", "    return total")
FILE = TypedFile(
    "python",
    "a.py",
    "\n".join(["def f():", *LINES, "f()"]),
    (Block(1, LINES),),
    (("b.py", "b = 1"),),
)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("oracle") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def positions() -> list[Position]:
    places = [(0, n) for n in range(10)] + [(1, n) for n in range(13)]
    return [
        Position("midline", "python", "a.py", 0, line, typed, "key" if typed else "enter", 0.2,
                 rest_of(FILE, 0, line, typed))
        for line, typed in places
    ]  # fmt: skip


def test_an_answer_that_is_typed_along_is_asked_for_once(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    engine: Any = FakeEngine(tokenizer, lambda prompt: "total = 1")
    found = oracle(engine, positions()[:10], [FILE], tmp_path, Answers(tmp_path / "known.jsonl"))
    assert [one.engine for one in found] == ["oracle"] * 10
    assert [one.text_at(0) for one in found][:9] == ["total = 1"[n:] for n in range(9)]
    # The finished line is another question.
    assert len(engine.asked) == 2
    first = engine.asked[0]
    assert "def f():\n" in first and "f()" in first and "return total" not in first


def test_every_other_key_is_a_question_and_known_ones_are_not_asked_again(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    engine: Any = FakeEngine(tokenizer, lambda prompt: "wrong")
    answers = tmp_path / "known" / "answers.jsonl"
    first = oracle(engine, positions(), [FILE], tmp_path, Answers(answers))
    asked = len(engine.asked)
    assert asked == len(first) == 23
    assert all("total = 1\n" in prompt for prompt in engine.asked[10:])
    with answers.open("a") as file:
        file.write('\n{"key": "unfinished')
    assert oracle(engine, positions(), [FILE], tmp_path, Answers(answers)) == first
    assert len(engine.asked) == asked
