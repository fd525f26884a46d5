"""`midline-bench quality infilling`: from the published files to a table and a JSON file."""

import gzip
import json
from pathlib import Path

import pytest
from mbxp_programs import require_sandbox
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.main import main
from midline.benchmarks.quality.infilling.measure import comparisons, summary
from midline.benchmarks.quality.infilling.tasks import KINDS

TASK = {
    "task_id": "SingleLineInfilling/HumanEval/0/L0",
    "entry_point": "double",
    "prompt": "def double(x):\n",
    "suffix": "    return y\n",
    "canonical_solution": "    y = 2 * x\n",
    "test": "def check(candidate):\n    assert candidate(2) == 4\n",
}


def call(tmp_path: Path, *words: str) -> int:
    model = write_tiny_model(tmp_path / "tiny.gguf", QWEN2)
    with gzip.open(tmp_path / KINDS["single-line"], "wt") as file:
        file.write(json.dumps(TASK) + "\n")
        file.write(json.dumps({**TASK, "test": TASK["test"].replace("4", "5")}) + "\n")
    options = ["--data", str(tmp_path), "--out", str(tmp_path / "out"), "--model", str(model)]
    return main(["quality", "infilling", "--kind", "single-line", *options, *words])


def test_the_rules_are_judged_by_execution(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    require_sandbox()
    result, tasks = tmp_path / "r.json", tmp_path / "t.jsonl"
    words = ["--perfect", "--show", "--json", str(result), "--tasks", str(tasks)]
    assert call(tmp_path, *words) == 0
    (row,) = json.loads(result.read_text())["rows"]
    assert (row["tasks"], row["passed"], row["exact"], row["empty"]) == (2, 1, 2, 0)
    assert [json.loads(line)["status"] for line in tasks.open()] == ["pass", "wrong"]
    assert "wanted 'y = 2 * x'" in capsys.readouterr().out


def test_a_summary_counts_each_kind_apart() -> None:
    rows = [
        {"engine": "midline", "kind": kind, "shown": shown, "exact": shown == "x", "status": status}
        for kind, shown, status in [
            ("single-line", "x", "pass"),
            ("single-line", " ", "wrong"),
            ("multi-line", "y", "pass"),
        ]
    ]
    single, multi = summary(rows)
    assert (single["tasks"], single["empty"], single["exact"], single["passed"]) == (2, 1, 1, 1)
    assert single["pass_rate"] == 0.5 and single["interval"][0] < 0.5 < single["interval"][1]
    assert (multi["kind"], multi["pass_rate"], multi["exact"]) == ("multi-line", 1.0, 0)


def test_engines_are_compared_in_pairs() -> None:
    rows = [
        {"engine": engine, "kind": "single-line", "task_id": task, "status": status}
        for engine, task, status in [
            ("midline", "a", "pass"),
            ("midline", "b", "pass"),
            ("llama.cpp", "a", "wrong"),
            ("llama.cpp", "b", "pass"),
        ]
    ]
    (found,) = comparisons(rows)
    assert (found["first"], found["second"]) == ("midline", "llama.cpp")
    assert (found["passed"]["difference"], found["passed"]["only_first"]) == (0.5, 1)
    assert comparisons(rows[:2]) == []


@pytest.mark.parametrize("words", [["--perfect", "--peer", "llama.cpp"], ["--syntax", "9"]])
def test_calls_that_would_ignore_something_are_wrong(
    tmp_path: Path, words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert call(tmp_path, *words) == 2
    assert "leave out" in capsys.readouterr().err
