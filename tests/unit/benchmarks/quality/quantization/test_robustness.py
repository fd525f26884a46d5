"""Perturbed problems: equal texts are completed once, and passes are paired by problem."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest

from midline.benchmarks.mbxp.tasks import Task
from midline.benchmarks.quality.quantization import robustness
from midline.benchmarks.quality.quantization.store import Subject

TASK = Task(
    task_id="MBPP/1", prompt='def add_all(a):\n    """Add all."""\n', test="assert add_all([1])",
    entry_point="add_all", language="python", canonical_solution="    s = 0\n    return s\n",
)  # fmt: skip


def test_equal_texts_are_completed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def passed(engine: object, subject: Subject, tasks: Sequence[Task], *_: Any) -> dict[str, int]:
        asked.extend(task.prompt for task in tasks)
        return {task.task_id: int("ADD_ALL" not in task.prompt) for task in tasks}

    monkeypatch.setattr(robustness, "passed", passed)
    subject = Subject("m", "q8_0", "native", tmp_path)
    found = robustness.robustness(cast(Any, None), subject, [TASK], 5, tmp_path, {"MBPP/1": 1})
    assert len(asked) == len(set(asked)) < 2 + 4 * 5
    assert TASK.prompt not in asked  # its verdict was known
    assert set(found) == set(robustness.FAMILIES)
    assert {len(row) for outcome in found.values() for row in outcome.values()} == {6}
    again = robustness.robustness(cast(Any, None), subject, [TASK], 5, tmp_path, {})
    assert again["format"] == found["format"] and TASK.prompt in asked


def test_robust_passes_are_paired() -> None:
    own = {"names": {"a": [1, 1, 0], "b": [1, 1, 1], "c": [0, 0, 0]}}
    other = {"names": {"a": [1, 1, 1], "b": [1, 1, 1]}}
    found = robustness.against(own, other)
    assert found is not None and (found["cases"], found["difference"]) == (2, -0.5)
    assert robustness.against(own, {"format": {"a": [1, 1]}}) is None
