"""The quality gate: which level passes, why others do not, and what it reads."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.mbxp.record import VERDICT_FIELDS, write_table
from midline.benchmarks.mbxp.results import Result, ResultFile
from midline.benchmarks.quality.sparsity.gate import passed, read_verdicts

TASKS = 974
MODEL = "m"


def verdicts(right: Iterable[int], tasks: int = TASKS) -> dict[str, bool]:
    """Tasks by number; those in `right` pass."""
    passing = set(right)
    return {f"MBPP/{n}": n in passing for n in range(tasks)}


def write_verdicts(path: Path, right: Iterable[int], tasks: int = TASKS) -> None:
    rows = [
        {"task_id": task, "sample": 0, "corrected": "pass" if ok else "wrong", "uncorrected": "?"}
        for task, ok in verdicts(right, tasks).items()
    ]
    path.parent.mkdir(exist_ok=True)
    write_table(path, VERDICT_FIELDS, rows)


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """Perplexities of five levels, verdicts of four; 45% is too dear, 50% has too few tasks."""
    rises = {0.25: 0.002, 0.4: 0.014, 0.45: 0.015, 0.5: 0.01, 0.55: 0.01, 0.6: 0.06}
    rows: list[dict[str, Any]] = [{"variant": "dense", "sparsity": 0.0, "perplexity": 2.0}]
    rows += [
        {"variant": "shipped", "sparsity": level, "perplexity_rise": rise, "bytes_ratio": 1.4}
        for level, rise in rises.items()
    ]
    rows.append({**rows[1], "variant": "uniform"})
    (tmp_path / f"sparsity-{MODEL}.json").write_text(json.dumps({"rows": rows}))
    folder = tmp_path / "mbxp"
    write_verdicts(folder / f"greedy-python-{MODEL}-python.tsv", range(330))
    write_verdicts(folder / f"sparse-25-{MODEL}-python.tsv", range(330))
    write_verdicts(folder / f"sparse-40-{MODEL}-python.tsv", range(5, 330))
    write_verdicts(folder / f"sparse-45-{MODEL}-python.tsv", range(12, 330))
    write_verdicts(folder / f"sparse-50-{MODEL}-python.tsv", range(330), 900)
    return tmp_path


def gate(records: Path, *words: str) -> int:
    call = ["quality", "sparsity", "--gate", "--model", MODEL, "--results", str(records)]
    return main([*call, *words])


def test_the_highest_level_that_passes_is_named(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "gate.json"
    (records / f"cursor-sparse-40-{MODEL}.json").write_text(
        json.dumps({"sparse": {"exact": {"difference": -0.02}}})
    )
    speed = {"rows": [{"engine": "midline", "tokens_per_second": 71.5}], "ratio": 1.6}
    (records / f"decode-sparse-40-{MODEL}.json").write_text(json.dumps(speed))
    assert gate(records, "--json", str(path)) == 0
    result = json.loads(path.read_text())
    assert result["benchmark"] == "sparsity-gate" and result["default_level"] == 0.4
    rows = {row["sparsity"]: row for row in result["rows"]}
    assert list(rows) == [0.25, 0.4, 0.45, 0.5, 0.55, 0.6]
    assert rows[0.25]["reasons"] == rows[0.4]["reasons"] == []
    assert rows[0.45]["reasons"] == ["pass@1 is 1.23 points lower"]
    assert rows[0.5]["reasons"] == ["74 of 974 tasks lack a verdict"]
    assert rows[0.55]["reasons"] == ["none of the tasks has a verdict"]
    assert rows[0.6]["reasons"][0] == "perplexity is 6.00% higher"
    change = rows[0.4]["pass_at_1_change"]
    assert (change["only_first"], change["only_second"], change["cases"]) == (0, 5, TASKS)
    assert rows[0.4]["exact_match_change"]["difference"] == -0.02
    assert (rows[0.4]["tokens_per_second"], rows[0.4]["over_peer"]) == (71.5, 1.6)
    out = capsys.readouterr().out
    assert '"sparsity": 0.4 in model/engines/native/policy.json' in out and "71.5  passes" in out
    assert "dense: perplexity 2.0000, pass@1 33.88% of 974 tasks" in out


def test_named_verdicts_come_before_recorded_ones(
    records: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "run"
    with ResultFile(own) as file:
        for task, ok in verdicts(range(328)).items():
            status = "pass" if ok else "wrong"
            file.add(Result(task, 0, "python", status, status, status, 1.0))
        file.add(Result("MBPP/3", 0, "python", *["sandbox_error"] * 3, 1.0))
    assert len(read_verdicts(own)) == TASKS - 1  # what was not executed says nothing
    assert gate(records, "--pass-at-1", f"0.45={own}") == 0
    out = capsys.readouterr().out
    assert "1 of 974 tasks lack a verdict" in out
    with ResultFile(own) as file:
        file.add(Result("MBPP/3", 0, "python", *["pass"] * 3, 1.0))
    assert gate(records, "--pass-at-1", f"0.45={own}") == 0
    assert '"sparsity": 0.45' in capsys.readouterr().out


def test_no_level_passes_where_all_are_dear(
    records: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = records / f"sparsity-{MODEL}.json"
    path.write_text(path.read_text().replace('"perplexity_rise": 0.0', '"perplexity_rise": 0.9'))
    assert gate(records) == 0
    assert 'no level passes: "sparsity": 0 in' in capsys.readouterr().out


def test_the_lower_end_of_the_interval_counts() -> None:
    """Nine tasks less in all, but of very many that changed: it could be far more."""
    dense = verdicts(range(400))
    kept = passed(0.0, dense, verdicts(range(9, 400)))
    changed = passed(0.0, dense, verdicts([*range(200, 400), *range(400, 591)]))
    assert kept["pass_at_1_change"]["difference"] == changed["pass_at_1_change"]["difference"]
    assert kept["reasons"] == []
    (reason,) = changed["reasons"]
    assert reason.startswith("it may be ") and reason.endswith(" points lower")
    assert passed(float("nan"), dense, dense)["reasons"] == ["perplexity is nan% higher"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--pass-at-1", "build/mbxp"], "is not LEVEL=PATH"),
        (["--pass-at-1", "half=build/mbxp"], "is not LEVEL=PATH"),
        (["--pass-at-1", "nan=build/mbxp"], "is not LEVEL=PATH"),
        (["--pass-at-1", "0.4=/no/such/folder"], "/no/such/folder does not exist"),
        (["--model", "other"], "has no sparsity-other.json; `midline-bench quality sparsity"),
    ],
)
def test_wrong_calls(
    records: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert gate(records, *words) == 2
    assert message in capsys.readouterr().err


def test_missing_or_damaged_records_are_named(
    records: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (records / "mbxp" / f"greedy-python-{MODEL}-python.tsv").unlink()
    assert gate(records) == 2
    assert "no dense MBXP verdicts; name them: --pass-at-1 0=FOLDER" in capsys.readouterr().err
    (records / f"sparsity-{MODEL}.json").write_text('{"rows": [')
    assert gate(records) == 2
    assert f"sparsity-{MODEL}.json is no result" in capsys.readouterr().err
