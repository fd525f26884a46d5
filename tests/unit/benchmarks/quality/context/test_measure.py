"""Arms whose prompts are equal are answered once."""

import argparse
from pathlib import Path
from typing import Any

import pytest

from midline.benchmarks.quality.context import measure
from midline.benchmarks.quality.context.cases import Case, Package
from midline.benchmarks.quality.context.measure import answers


def test_equal_prompts_are_answered_once_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def answer(engine: Any, case: Case, chosen: tuple[Any, ...]) -> dict[str, Any]:
        asked.append(len(chosen))
        return {"exact": len(chosen), "prompt_tokens": 1, "chunks": len(chosen)}

    monkeypatch.setattr(measure, "answer", answer)
    monkeypatch.setattr(measure, "ranked", lambda engine, case, chunks: tuple(chunks[:1]))
    alone = "def stands_alone(value):\n    return value\n"
    package = Package("python", "demo", {"a.py": alone, "b.py": alone, "c.py": alone})
    case = Case(package, "a.py", alone[:20], alone[20:], "x")
    trace = tmp_path / "trace.jsonl"
    args = argparse.Namespace(
        arms=["none", "signatures", "three open", "three open, signatures"],
        trace=trace, seconds=None,
    )  # fmt: skip
    rows = answers(None, [case], args)  # type: ignore[arg-type]
    assert asked == [0, 1], "nothing is imported, so that signatures change no prompt"
    assert [(row["arm"], row["exact"]) for row in rows] == [
        ("none", 0), ("signatures", 0), ("three open", 1), ("three open, signatures", 1),
    ]  # fmt: skip
    assert answers(None, [case], args) == rows and asked == [0, 1]  # type: ignore[arg-type]
