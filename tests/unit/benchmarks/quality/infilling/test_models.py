"""Answers of models: in batches, kept between runs, and cut where the task ends."""

from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.quality.answers import Answers
from midline.benchmarks.quality.infilling.models import midline_answers, whole_lines
from midline.benchmarks.quality.infilling.tasks import Infilling
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("models") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def test_every_task_is_answered_once(tokenizer: Tokenizer, tmp_path: Path) -> None:
    tasks = [
        Infilling(
            str(n), "single-line", "f", f"def f{n}(x):\n    ", "y = x", "\n    return y\n", ""
        )
        for n in range(20)
    ]
    engine: Any = FakeEngine(tokenizer, lambda prompt: "y = 2")
    path = tmp_path / "answers.jsonl"
    first = midline_answers(engine, tasks[:18], Answers(path), by_hand=True)
    assert first == ["y = 2"] * 18 and len(engine.asked) == 18
    assert midline_answers(engine, tasks, Answers(path), by_hand=True) == ["y = 2"] * 20
    assert len(engine.asked) == 20
    midline_answers(engine, tasks[:1], Answers(path), by_hand=False)
    assert len(engine.asked) == 21


@pytest.mark.parametrize(
    ("text", "kind", "expected"),
    [
        ("    a\n    b\n", "single-line", "    a\n"),
        ("\n    a\n    b", "single-line", "\n    a\n"),
        ("    a", "single-line", "    a\n"),
        ("    a\n    b", "multi-line", "    a\n    b\n"),
        ("    a\n", "multi-line", "    a\n"),
        ("a\nb", "random-span", "a\nb"),
    ],
)
def test_lines_end_with_their_line_end(text: str, kind: str, expected: str) -> None:
    assert whole_lines(text, kind) == expected
