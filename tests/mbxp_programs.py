"""Judging completions with the real tools, skipping where a tool or the isolation is missing."""

import json
import tempfile
from functools import cache
from pathlib import Path

import pytest

from midline.benchmarks.mbxp.evaluate import Evaluation
from midline.benchmarks.mbxp.languages import ToolchainMissing, language
from midline.benchmarks.mbxp.results import RESULTS, Result, ResultFile, latest_results
from midline.benchmarks.mbxp.samples import Sample
from midline.benchmarks.mbxp.tasks import Task, load_tasks
from midline.model.sandbox import SandboxError, choose

GOLDEN = Path(__file__).resolve().parent / "golden" / "mbxp"


@cache
def tiny_task(name: str) -> Task:
    """The task of language `name`, written for the project in the published format."""
    (task,) = load_tasks(GOLDEN / "tasks", [name]).values()
    return task


@cache
def tiny_solution(name: str, kind: str) -> str:
    """A completion of the tiny task: `kind` is right or wrong."""
    for line in (GOLDEN / f"tiny_{kind}.jsonl").read_text("utf-8").splitlines():
        row = json.loads(line)
        if row["language"] == name:
            return str(row["completion"])
    raise KeyError(name)


def require_language(name: str) -> None:
    """Skip the test, with the reason, if the language's tools are not installed."""
    evaluator = language(name)
    try:
        assert evaluator.version
        evaluator.reads()
    except ToolchainMissing as error:
        pytest.skip(str(error))


def require_sandbox(level: str | None = None) -> None:
    """Skip the test, with the reason, where this isolation, or any, does not work."""
    try:
        choose(level)
    except SandboxError as error:
        pytest.skip(str(error))


def judge(samples: list[Sample], level: str | None = None) -> list[Result]:
    """Execute `samples` with the real tools; results in their order."""
    require_sandbox(level)
    with tempfile.TemporaryDirectory() as name, ResultFile(Path(name)) as results:
        Evaluation(choose(level), results, workers=1).run(samples)
        latest = latest_results(Path(name) / RESULTS)
    return [latest[sample.task.task_id, sample.index] for sample in samples]


def judge_tiny(name: str, *completions: str, level: str | None = None) -> list[Result]:
    """Execute completions of the tiny task of one language."""
    require_language(name)
    task = tiny_task(name)
    return judge([Sample(task, text, index) for index, text in enumerate(completions)], level)


def check_language(name: str, early_exit: str, broken: str) -> list[Result]:
    """Right passes, wrong is wrong, ending early is wrong, what does not compile says so."""
    right, wrong = tiny_solution(name, "right"), tiny_solution(name, "wrong")
    results = judge_tiny(name, right, wrong, early_exit, broken)
    assert [result.status for result in results] == ["pass", "wrong", "wrong", "compile_error"], [
        result.detail for result in results
    ]
    return results
