"""Steps of datatrove pipelines, run by its local executor."""

import json
from pathlib import Path

import pytest

datatrove = pytest.importorskip("datatrove")

CODE = (
    '"""Adds."""\n\n\ndef add(first, second):\n    total = first + second\n    return total + {}\n'
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "in"
    path.mkdir()
    for number in range(6):
        text = CODE.format(number)
        (path / f"{number}.py").write_text(text if number % 2 else "# @generated\n" + text)
    rows = [{"text": f"some words of line {n}", "id": f"line-{n}"} for n in range(5)]
    (path / "lines.jsonl").write_text("\n".join([*map(json.dumps, rows), "{broken"]))
    return path


def run(folder: Path, out: Path, tasks: int, workers: int) -> None:
    from datatrove.executor import LocalPipelineExecutor

    from midline.model.data_quality.pipeline import (
        FilterStep,
        RecordReader,
        RecordWriter,
        SignalStep,
    )

    steps = [
        RecordReader([folder]),
        FilterStep("code"),
        SignalStep(["rps_doc_word_count"]),
        RecordWriter(out),
    ]
    LocalPipelineExecutor(
        steps, tasks=tasks, workers=workers, logging_dir=str(out.parent / "logs")
    ).run()


def written(out: Path) -> dict[str, dict]:
    lines = [line for path in sorted(out.glob("*.jsonl")) for line in path.read_text().splitlines()]
    rows = [json.loads(line) for line in lines]
    assert len({row["id"] for row in rows}) == len(rows)
    return {row["id"]: row for row in rows}


def test_a_pipeline_writes_what_the_filter_keeps_with_signals(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "out", tasks=2, workers=1)
    rows = written(tmp_path / "out")
    assert set(rows) == {"1.py", "3.py", "5.py"}
    signals = rows["1.py"]["quality_signals"]
    assert signals["rps_doc_word_count"][0][2] > 5
    assert rows["1.py"]["text"] == CODE.format(1)


def test_a_complete_task_is_not_repeated(folder: Path, tmp_path: Path) -> None:
    run(folder, tmp_path / "out", tasks=2, workers=1)
    times = [path.stat().st_mtime_ns for path in sorted((tmp_path / "out").glob("*.jsonl"))]
    run(folder, tmp_path / "out", tasks=2, workers=1)
    assert times == [p.stat().st_mtime_ns for p in sorted((tmp_path / "out").glob("*.jsonl"))]


def test_an_unknown_signal_is_refused_before_the_run() -> None:
    from midline.model.data_quality.pipeline import SignalStep
    from midline.model.errors import UsageError

    with pytest.raises(UsageError, match="no signal"):
        SignalStep(["nonsense"])
