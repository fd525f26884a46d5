"""The recorded results: complete, consistent, and what the real tools still say."""

import json
from collections import Counter
from pathlib import Path

import pytest
from mbxp_programs import judge, require_language

from midline.benchmarks.mbxp.canonical import canonical_samples
from midline.benchmarks.mbxp.record import read_table
from midline.benchmarks.mbxp.status import Status
from midline.benchmarks.mbxp.tasks import load_tasks

RECORDED = Path(__file__).resolve().parents[4] / "benchmarks" / "results" / "mbxp"
STATUSES = {str(status) for status in Status}
CAUSES = {"solution", "task", "toolchain"}
FAMILIES = {"MBPP": "python", "MBJP": "java", "MBJSP": "javascript", "MBTSP": "typescript",
            "MBKP": "kotlin", "MBRBP": "ruby", "MBPHP": "php", "MBCPP": "cpp",
            "MBCSP": "csharp"}  # fmt: skip
SOLUTIONS = {"python": 974, "java": 874, "javascript": 938, "typescript": 967, "kotlin": 796,
             "ruby": 784, "php": 950, "cpp": 773, "csharp": 725}  # fmt: skip
PUBLISHED_SAMPLES = {"python": 974, "java": 966, "javascript": 966, "typescript": 968,
                     "kotlin": 966, "ruby": 966, "php": 966, "cpp": 848, "csharp": 968, "go": 939,
                     "perl": 966, "scala": 966}  # fmt: skip
FAST = ("python", "ruby", "php", "javascript")


def rows(name: str) -> list[dict[str, str]]:
    return read_table(RECORDED / name)


def test_every_exception_has_a_reason() -> None:
    exceptions = rows("canonical-exceptions.tsv")
    assert len({row["task_id"] for row in exceptions}) == len(exceptions)
    for row in exceptions:
        assert row["corrected"] in STATUSES
        assert row["uncorrected"] in STATUSES
        assert row["corrected"] != "pass"
        assert row["cause"] in CAUSES
        assert len(row["reason"]) > 10, row


def test_every_solution_that_fails_is_listed() -> None:
    """Of all solutions there are, in every language that has them and can be executed here."""
    recorded = json.loads((RECORDED / "canonical.json").read_text("utf-8"))
    listed = Counter(FAMILIES[row["task_id"].partition("/")[0]]
                     for row in rows("canonical-exceptions.tsv"))  # fmt: skip
    for language in recorded["languages"]:
        name = language["language"]
        assert language["samples"] == SOLUTIONS[name]
        assert language["samples"] - language["statuses"]["pass"] == listed[name]
    assert {language["language"] for language in recorded["languages"]} == set(SOLUTIONS)


def test_the_summaries_are_of_the_recorded_verdicts() -> None:
    summary = json.loads((RECORDED / "samples.json").read_text("utf-8"))
    assert {r["language"]: r["samples"] for r in summary["languages"]} == PUBLISHED_SAMPLES
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
