"""The oracle: what it reads, what it remembers, and what the gate makes of its answers."""

from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.quality.answers import Answers
from midline.benchmarks.quality.typing.files import Block, TypedFile
from midline.benchmarks.quality.typing.oracle import GATED, NAME, oracle
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


def answers_of(found: list[Position], engine: str) -> list[str]:
    return [one.text_at(0) for one in found if one.engine == engine]


def test_an_answer_that_is_typed_along_is_asked_for_once(
    tokenizer: Tokenizer, tmp_path: Path
) -> None:
    engine: Any = FakeEngine(tokenizer, lambda prompt: "total = 1")
    found = oracle(engine, positions()[:9], [FILE], Answers(tmp_path / "known.jsonl"))
    for name in (NAME, GATED):
        assert answers_of(found, name) == ["total = 1"[n:] for n in range(9)]
    assert len(engine.asked) == 2  # one with the gate, one without
    first = engine.asked[0]
    assert "def f():\n" in first and "f()" in first and "return total" not in first


def test_the_gate_keeps_back_what_is_unlikely(tokenizer: Tokenizer, tmp_path: Path) -> None:
    engine: Any = FakeEngine(tokenizer, lambda prompt: "total = 1", conditional=-3.0)
    found = oracle(engine, positions()[:1], [FILE], Answers(tmp_path / "known.jsonl"))
    assert answers_of(found, NAME) == ["total = 1"]
    assert answers_of(found, GATED) == [""]


def test_known_answers_are_not_asked_for_again(tokenizer: Tokenizer, tmp_path: Path) -> None:
    engine: Any = FakeEngine(tokenizer, lambda prompt: "wrong")
    answers = tmp_path / "known" / "answers.jsonl"
    first = oracle(engine, positions(), [FILE], Answers(answers))
    asked = len(engine.asked)
    assert asked >= 2 * 20 and len(first) == 2 * 23
    assert any("total = 1\n" in prompt for prompt in engine.asked)
    with answers.open("a") as file:
        file.write('\n{"key": "unfinished')
    assert oracle(engine, positions(), [FILE], Answers(answers)) == first
    assert len(engine.asked) == asked


def test_its_prompts_are_those_of_the_server(tokenizer: Tokenizer, tmp_path: Path) -> None:
    """What is typed behind the anchor follows the middle token, and the suffix stays."""
    engine: Any = FakeEngine(tokenizer, lambda prompt: "wrong")
    oracle(engine, positions(), [FILE], Answers(tmp_path / "known.jsonl"))
    heads = {prompt.partition("<|fim_middle|>")[0] for prompt in engine.asked}
    assert len(heads) == 1
    assert any("total = 1\n    retu" in prompt.rpartition("<|fim_middle|>")[2] for prompt in
               engine.asked)  # fmt: skip
