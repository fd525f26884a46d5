"""Reading completions from JSONL, ours or others', and saying which lines are no use."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midline.benchmarks.mbxp.tasks import Task
from midline.model.errors import UsageError

SAMPLES = "samples.jsonl"
"""Where generated completions are kept in a result folder."""


@dataclass(frozen=True)
class Sample:
    """A completion of `task`; `index` counts the samples of one task from 0 in file order."""

    task: Task
    completion: str
    index: int


@dataclass(frozen=True)
class Rejected:
    """A line that cannot be executed, and why."""

    line: int
    reason: str


def read_samples(
    path: Path, tasks: Mapping[str, Task], languages: Iterable[str] | None = None
) -> tuple[list[Sample], list[Rejected]]:
    """Samples of `path` in file order, and the lines that are none.

    A task id may come up several times: those are its samples 0, 1, ... even where they are equal.
    With `languages`, samples of other languages are left out silently.
    """
    wanted = None if languages is None else set(languages)
    samples: list[Sample] = []
    rejected: list[Rejected] = []
    counts: Counter[str] = Counter()
    for number, raw in enumerate(_lines(path), 1):
        if not raw.strip():
            continue
        try:
            task, completion = _parse(raw, tasks)
        except ValueError as error:
            rejected.append(Rejected(number, str(error)))
            continue
        if wanted is None or task.language in wanted:
            samples.append(Sample(task, completion, counts[task.task_id]))
            counts[task.task_id] += 1
    return samples, rejected


def read_generated(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a samples file, without an unfinished last line."""
    if path.is_file():
        with path.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):
                    yield json.loads(line)


def _lines(path: Path) -> Iterable[bytes]:
    try:
        with path.open("rb") as file:
            yield from file
    except OSError as error:
        raise UsageError(f"cannot read the samples {path}: {error.strerror}") from error


def _parse(raw: bytes, tasks: Mapping[str, Task]) -> tuple[Task, str]:
    try:
        row = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"not JSON: {error}") from error
    if not isinstance(row, dict):
        raise ValueError("not a JSON object")
    task_id, completion = row.get("task_id"), row.get("completion")
    if not isinstance(task_id, str):
        raise ValueError("no field task_id of type string")
    if not isinstance(completion, str):
        raise ValueError(f"no field completion of type string for {task_id}")
    if task_id not in tasks:
        raise ValueError(f"unknown task id {task_id}")
    return tasks[task_id], completion
