"""Problems executed with the profile of each arm: resumed, refused if drawn otherwise, paired."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from midline.benchmarks.mbxp.samples import read_generated
from midline.benchmarks.quality.calibration.execution import (
    CalibratedEngine,
    compared,
    lines,
    passed,
    problems,
)
from midline.model.errors import UsageError
from midline.model.teal.profile import CalibrationText, Profile

TASKS = Path(__file__).resolve().parents[4] / "golden" / "mbxp" / "tasks"


@pytest.fixture
def engine(tiny_qwen2: Path) -> Iterator[CalibratedEngine]:
    loaded = CalibratedEngine.load(str(tiny_qwen2), threads=1)
    assert isinstance(loaded, CalibratedEngine)
    yield loaded
    loaded.close()


def profile_of(engine: CalibratedEngine, threshold: float) -> Profile:
    rows = ((threshold,) * 4,) * engine.config.layers
    text = CalibrationText("made up", f"{threshold}", 0)
    return Profile(engine.name, "0" * 64, 0.4, "magnitude", "uniform", rows, text)


def test_only_a_sparse_level_has_the_given_profile(engine: CalibratedEngine) -> None:
    engine.given = profile_of(engine, 0.5)
    assert engine.profile(0.4) is engine.given and engine.profile(0.0) is None


def test_an_interrupted_arm_is_neither_completed_nor_calibrated_again(
    engine: CalibratedEngine, tmp_path: Path
) -> None:
    tasks = problems(str(TASKS), 5)
    mild = profile_of(engine, 1e-6)
    found = passed(engine, lambda: mild, tasks, tmp_path / "mild")
    assert found == {task.task_id: 0 for task in tasks}

    def never() -> Profile:
        raise AssertionError("it is calibrated")

    assert passed(engine, never, tasks, tmp_path / "mild") == found
    more = [*tasks, replace(tasks[0], task_id="MBPP/99999")]
    with pytest.raises(UsageError, match="give another --out"):
        passed(engine, lambda: profile_of(engine, 9.0), more, tmp_path / "mild")


def test_the_profile_decides_what_is_written(engine: CalibratedEngine, tmp_path: Path) -> None:
    tasks = problems(str(TASKS), 5)
    for name, threshold in (("mild", 1e-6), ("harsh", 9.0)):
        profile = profile_of(engine, threshold)
        passed(engine, lambda profile=profile: profile, tasks, tmp_path / name)
    mild, harsh = (
        [row["completion"] for row in read_generated(tmp_path / name / "samples.jsonl")]
        for name in ("mild", "harsh")
    )
    assert len(mild) == len(harsh) == len(tasks) and mild != harsh


def test_arms_are_paired_by_problem() -> None:
    junk = {f"MBPP/{n}": int(n < 20) for n in range(100)}
    good = {f"MBPP/{n}": int(n < 60) for n in range(100)}
    rows = compared({"junk": junk, "dsir": good, "same": junk}, "junk")
    assert [row["pass"] for row in rows] == [0.2, 0.6, 0.2] and "less_baseline" not in rows[0]
    assert rows[1]["less_baseline"]["difference"] == pytest.approx(0.4)
    assert rows[1]["less_baseline"]["interval"][0] > 0.2
    said = lines(rows)
    assert ["shows nothing" in line for line in said] == [False, False, False, True]
