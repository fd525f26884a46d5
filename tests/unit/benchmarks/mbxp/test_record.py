"""What is recorded of an evaluation, and what of an earlier record stays."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from midline.benchmarks.mbxp import record
from midline.benchmarks.mbxp.record import (
    exceptions_of,
    read_table,
    record_canonical,
    record_run,
    record_samples,
    verdict_rows,
)
from midline.benchmarks.mbxp.report import build_report
from midline.benchmarks.mbxp.results import Result
from midline.model.errors import MidlineError

PASS = Result("MBGP/2", 0, "go", "pass", "pass", "pass", 0.5)
WRONG = replace(PASS, task_id="MBGP/10", status="wrong", corrected="wrong", uncorrected="wrong")
EARLY = replace(WRONG, task_id="MBGP/3", uncorrected="pass")


def settings(**more: Any) -> dict[str, Any]:
    return {"sandbox": "x", "workers": 2, "toolchains": {"go": "1"}, **more}


def perl(result: Result) -> Result:
    return replace(result, language="perl", task_id=result.task_id.replace("MBGP", "MBPLP"))


def test_samples_stand_beside_their_published_scores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(record.PUBLISHED, "go", 0.6)
    monkeypatch.setitem(record.PUBLISHED, "perl", 0.5)
    both = [PASS, WRONG, EARLY]
    record_samples(tmp_path / "samples.json", build_report(both, settings()), both)
    other = [perl(PASS), perl(WRONG)]
    record_samples(
        tmp_path / "samples.json", build_report(other, settings(toolchains={"perl": "5"})), other
    )
    kept = json.loads((tmp_path / "samples.json").read_text())
    assert [row["language"] for row in kept["languages"]] == ["go", "perl"]
    assert kept["toolchains"] == {"go": "1", "perl": "5"}
    assert kept["largest_difference"] == pytest.approx(2 / 3 - 0.6)
    assert "workers" not in kept, "a record has been made by many runs"
    rows = read_table(tmp_path / "samples-go.tsv")
    assert [row["task_id"] for row in rows] == ["MBGP/10", "MBGP/2", "MBGP/3"]
    assert rows[2] == {
        "task_id": "MBGP/3", "sample": "0", "corrected": "wrong", "uncorrected": "pass",
    }  # fmt: skip


def test_samples_without_a_published_score_say_where_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(record.PUBLISHED, "go")
    with pytest.raises(MidlineError, match=r"score of go is not known; add it to PUBLISHED"):
        record_samples(tmp_path / "samples.json", build_report([PASS], settings()), [PASS])
    assert not (tmp_path / "samples.json").exists()


def test_exceptions_keep_their_reason_while_they_fail_the_same_way(tmp_path: Path) -> None:
    results = [PASS, WRONG, EARLY]
    unexplained = record_canonical(
        tmp_path / "canonical.json", build_report(results, settings()), results
    )
    assert unexplained == ["MBGP/10"], "an early exit explains itself"
    rows = read_table(exceptions_of(tmp_path / "canonical.json"))
    assert [row["task_id"] for row in rows] == ["MBGP/3", "MBGP/10"]
    path = exceptions_of(tmp_path / "canonical.json")
    path.write_text(path.read_text().replace("wrong\twrong\t\t", "wrong\twrong\ttask\tis a riddle"))
    assert (
        record_canonical(tmp_path / "canonical.json", build_report(results, settings()), results)
        == []
    )
    (row,) = json.loads((tmp_path / "canonical.json").read_text())["languages"]
    assert row["either_pass_rate"] == pytest.approx(2 / 3)
    assert row["sound_pass_rate"] == 1.0
    crashed = [
        PASS,
        replace(WRONG, corrected="oom", uncorrected="oom"),
        replace(PASS, task_id="MBGP/3"),
    ]
    assert record_canonical(
        tmp_path / "canonical.json", build_report(crashed, settings()), crashed
    ) == ["MBGP/10"]
    (left,) = read_table(exceptions_of(tmp_path / "canonical.json"))
    assert (left["corrected"], left["reason"]) == ("oom", "")


def test_failures_that_are_not_the_datas_count(tmp_path: Path) -> None:
    results = [PASS, WRONG]
    record_canonical(tmp_path / "canonical.json", build_report(results, settings()), results)
    path = exceptions_of(tmp_path / "canonical.json")
    path.write_text(path.read_text().replace("wrong\twrong\t\t", "wrong\twrong\ttoolchain\told"))
    record_canonical(tmp_path / "canonical.json", build_report(results, settings()), results)
    kept = json.loads((tmp_path / "canonical.json").read_text())
    assert kept["lowest_sound_pass_rate"] == kept["languages"][0]["sound_pass_rate"] == 0.5


def test_runs_in_several_languages_become_one_record(tmp_path: Path) -> None:
    python = replace(PASS, language="python", task_id="MBPP/1")
    first = settings(generation={"python": {"seconds_per_sample": 2.0}})
    record_run(tmp_path / "greedy-x.json", build_report([python], first), [python])
    second = settings(generation={"go": {"seconds_per_sample": 3.0}})
    report = build_report([PASS, WRONG, perl(PASS)], second)
    merged = record_run(tmp_path / "greedy-x.json", report, [PASS, WRONG, perl(PASS)])
    assert json.loads((tmp_path / "greedy-x.json").read_text()) == merged
    assert [row["language"] for row in merged["languages"]] == ["python", "go", "perl"]
    assert merged["languages"][0]["generation"] == {"seconds_per_sample": 2.0}
    assert merged["mean_pass_at_1"] == pytest.approx((1 + 0.5 + 1) / 3)
    assert "generation" not in merged
    assert sorted(path.name for path in tmp_path.glob("*.tsv")) == [
        "greedy-x-go.tsv", "greedy-x-perl.tsv", "greedy-x-python.tsv",
    ]  # fmt: skip


def test_a_record_that_is_none_is_named(tmp_path: Path) -> None:
    (tmp_path / "samples.json").write_text("{")
    with pytest.raises(MidlineError, match=r"samples\.json is no report .*remove it"):
        record_samples(tmp_path / "samples.json", build_report([PASS], settings()), [PASS])


def test_verdicts_are_in_the_order_of_languages_tasks_and_samples() -> None:
    results = [perl(PASS), replace(PASS, sample=1), PASS]
    rows = verdict_rows(results)
    assert [(row["task_id"], row["sample"]) for row in rows] == [
        ("MBGP/2", 0), ("MBGP/2", 1), ("MBPLP/2", 0),
    ]  # fmt: skip
