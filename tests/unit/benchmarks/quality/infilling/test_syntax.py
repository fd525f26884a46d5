"""Places in accepted files, and the verdict on what is completed there."""

from pathlib import Path
from typing import Any

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.quality.answers import Answers
from midline.benchmarks.quality.infilling import syntax
from midline.benchmarks.quality.infilling.parsers import accepts
from midline.benchmarks.quality.infilling.syntax import Case, cases, judge, summary
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("syntax") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def test_places_are_in_files_that_are_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = tmp_path / "good.py", tmp_path / "bad.py"
    good.write_text("def f(a):\n    b = a\n    return b\n" * 9)
    bad.write_text("def f(:\n")
    monkeypatch.setattr(syntax, "candidates", lambda: {"python": [good, bad], "klingon": [good]})
    found = cases(30, 1)
    assert len(found) == 30 and {case.language for case in found} == {"python"}
    assert {case.name for case in found} == {"good.py"}
    assert {case.by_hand for case in found} == {True, False}
    assert all(accepts("python", case.before + case.after, tmp_path) for case in found)
    assert cases(30, 1) == found != cases(30, 2)


def test_what_breaks_a_file_is_counted(tokenizer: Tokenizer, tmp_path: Path) -> None:
    case = Case("python", "a.py", "x = 1\n", "\ny = 2\n", by_hand=False)
    hand = Case("python", "a.py", "y = 1\n", "\ny = 2\n", by_hand=True)
    engine: Any = FakeEngine(tokenizer, lambda prompt: "z = 3")
    known = Answers(tmp_path / "known.jsonl")
    rows = judge(engine, [case, hand], known)
    assert [row["shown"] for row in rows] == ["z = 3", "z = 3"]
    assert [row["accepted"] for row in rows] == [True, True]
    asked = len(engine.asked)
    assert judge(engine, [case, hand], known) == rows and len(engine.asked) == asked
    broken = syntax._row(case, "def f():", tmp_path)
    assert not broken["accepted"]
    all_, python = summary([*rows, broken])
    assert (all_["cases"], all_["shown"], all_["rejected"]) == (3, 3, 1)
    assert python["language"] == "python"
