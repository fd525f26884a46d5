"""The recorded results: complete, consistent, and what the real tools still say."""

import csv
import json
from pathlib import Path

import pytest
from mbxp_programs import judge, require_language

from midline.benchmarks.mbxp.canonical import canonical_samples
from midline.benchmarks.mbxp.status import Status
from midline.benchmarks.mbxp.tasks import load_tasks

RECORDED = Path(__file__).resolve().parents[4] / "benchmarks" / "results" / "mbxp"
STATUSES = {str(status) for status in Status}
FAST = ("python", "ruby", "php", "javascript")


def rows(name: str) -> list[dict[str, str]]:
    with (RECORDED / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_every_exception_has_a_reason() -> None:
    exceptions = rows("canonical-exceptions.tsv")
    assert len({row["task_id"] for row in exceptions}) == len(exceptions)
    for row in exceptions:
        assert row["corrected"] in STATUSES
        assert row["uncorrected"] in STATUSES
        assert row["corrected"] != "pass"
        assert len(row["reason"]) > 10, row


def test_the_summaries_are_of_the_recorded_verdicts() -> None:
    summary = json.loads((RECORDED / "samples.json").read_text("utf-8"))
    assert summary["languages"]
    for language in summary["languages"]:
        verdicts = rows(f"samples-{language['language']}.tsv")
        assert len(verdicts) == language["samples"]
        for which, score in (
            ("corrected", language["pass_at_k"]["1"]),
            ("uncorrected", language["uncorrected_pass_at_k"]["1"]),
        ):
            passed = sum(row[which] == "pass" for row in verdicts)
            assert passed / len(verdicts) == pytest.approx(score)


def test_published_scores_are_met_within_a_point() -> None:
    """By the reference evaluator's rules; what is left are versions of languages and libraries."""
    summary = json.loads((RECORDED / "samples.json").read_text("utf-8"))
    for language in summary["languages"]:
        if language["samples"] == language["tasks_in_data"]:
            difference = language["uncorrected_pass_at_k"]["1"] - language["published_pass_at_1"]
            assert abs(difference) < 0.01, language["language"]


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("name", FAST)
def test_the_solutions_that_fail_are_the_recorded_ones(name: str, mbxp_data: Path) -> None:
    require_language(name)
    tasks = load_tasks(mbxp_data, [name])
    failed = {r.task_id for r in judge(canonical_samples(tasks)) if r.corrected != "pass"}
    recorded = {row["task_id"] for row in rows("canonical-exceptions.tsv")}
    assert failed == recorded & tasks.keys()
