"""JSONL files of completions, from Midline or other tools, and their invalid lines."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midline.benchmarks.growing_file import append, cut_unfinished_line
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
    """An invalid line and the reason."""

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


class GeneratedFile:
    """samples.jsonl of a result folder: read once, when opened, then only appended to.

    `rows` are all lines, those of earlier runs first; `done` has the task id and number of each.
    An unfinished last line, of a run that was killed, is cut off.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / SAMPLES
        folder.mkdir(parents=True, exist_ok=True)
        self.rows = list(read_generated(self.path))
        self.done = {(row["task_id"], row["sample"]) for row in self.rows}
        cut_unfinished_line(self.path)

    def append(self, rows: Sequence[dict[str, Any]]) -> None:
        """Write `rows` in one piece; ResultsError where the disk does not take them."""
        data = "".join(json.dumps(row) + "\n" for row in rows).encode()
        append(self.path, data, "a batch")
        self.rows += rows
        self.done |= {(row["task_id"], row["sample"]) for row in rows}

    def samples(self, tasks: Mapping[str, Task]) -> list[Sample]:
        """The completions of `tasks` in file order, numbered as `read_samples` numbers them."""
        counts: Counter[str] = Counter()
        samples = []
        for row in self.rows:
            if task := tasks.get(row["task_id"]):
                samples.append(Sample(task, row["completion"], counts[task.task_id]))
                counts[task.task_id] += 1
        return samples


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
