"""The guard's measurement: which rule is chosen, and what it is worth."""

import json
from pathlib import Path

import pytest

from midline.benchmarks.quality.guard.measure import (
    Judged,
    chosen,
    half_of,
    read,
    score,
    with_shuffled_verdicts,
)
from midline.model.errors import UsageError

LOOP = "x = x + 1; y = y - 1\n" * 60
FINE = "\n".join(f"value_{n} = compute_{n}(argument_{n})" for n in range(60))


def judged(loops_that_pass: int = 0) -> list[Judged]:
    bad = [Judged(f"T/{n}", LOOP, n < loops_that_pass) for n in range(20)]
    return [*bad, *(Judged(f"T/{n}", FINE, n % 2 == 0) for n in range(20, 60))]


def test_a_rule_that_tells_loops_is_chosen_and_saves_what_follows() -> None:
    rule = chosen(judged())
    assert rule is not None
    found = score(rule, judged())
    assert (found["raised"], found["precision"], found["recall"]) == (20, 1, 0.5)
    assert 0.1 < found["saved"] < 1


def test_no_rule_is_chosen_where_loops_pass() -> None:
    assert chosen(judged(loops_that_pass=10)) is None


def test_shuffled_verdicts_have_as_many_failures() -> None:
    shuffled = with_shuffled_verdicts(judged())
    assert [s.text for s in shuffled] == [s.text for s in judged()]
    assert sum(s.passed for s in shuffled) == sum(s.passed for s in judged())
    assert [s.passed for s in shuffled] != [s.passed for s in judged()]


def test_a_run_folder(tmp_path: Path) -> None:
    samples = [{"task_id": "T/1", "completion": t} for t in ("a", "b")]
    (tmp_path / "samples.jsonl").write_text("\n".join(map(json.dumps, samples)))
    results = [
        {"task_id": "T/1", "sample": 1, "status": "fail"},
        {"task_id": "T/1", "sample": 0, "status": "pass"},
    ]
    (tmp_path / "results.jsonl").write_text("\n".join(map(json.dumps, results)))
    assert list(read(tmp_path)) == [Judged("T/1", "b", False), Judged("T/1", "a", True)]
    with pytest.raises(UsageError, match="mbxp run"):
        list(read(tmp_path / "none"))


def test_the_halves_are_about_equal() -> None:
    assert 400 < sum(half_of(f"MBPP/{n}") for n in range(1000)) < 600
