"""The append-only result file: one JSON line per executed sample, robust against being killed.

A line is keyed by task, sample number and the hash of the program. A resumed run reads the existing
lines, drops an unfinished last one, and executes only programs without a line.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from midline.model.errors import MidlineError

RESULTS = "results.jsonl"
Key = tuple[str, int, str]


class ResultsError(MidlineError):
    """A result file cannot be read or written."""


@dataclass(frozen=True)
class Result:
    """Verdict on one sample; times in seconds; `exit_code` of the run, 128 and more for a signal.

    `corrected` is the status with the benchmark's known defects corrected, `uncorrected` the one by
    the reference evaluator's rules, `status` the one of the two that was asked for. `corrections`
    names what they differ by.
    """

    task_id: str
    sample: int
    language: str
    status: str
    corrected: str
    uncorrected: str
    seconds: float
    compile_seconds: float = 0.0
    run_seconds: float = 0.0
    exit_code: int | None = None
    corrections: list[str] = field(default_factory=list)
    detail: str = ""
    key: str = ""

    @property
    def identity(self) -> Key:
        """The key by which a resumed run finds the line."""
        return self.task_id, self.sample, self.key


class ResultFile:
    """Appends results to `folder`/results.jsonl, unbuffered."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / RESULTS
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.done = {result.identity for result in read_results(self.path)}
            self._cut_unfinished_line()
            self._file = self.path.open("ab", buffering=0)
        except OSError as error:
            raise self._failure(error) from error

    def add(self, result: Result) -> None:
        """Append one line in one write; ResultsError on a full disk, where nothing is recorded."""
        line = json.dumps(asdict(result), ensure_ascii=True).encode() + b"\n"
        try:
            written = self._file.write(line)
        except OSError as error:
            raise self._failure(error) from error
        if written != len(line):
            raise ResultsError(
                f"the disk is full: {self.path} took only part of a line; free some space and run "
                "the same command again to go on"
            )
        self.done.add(result.identity)

    def close(self) -> None:
        """Close the file."""
        if not self._file.closed:
            self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _cut_unfinished_line(self) -> None:
        if not self.path.is_file():
            return
        with self.path.open("rb+") as file:
            content = file.read()
            end = content.rfind(b"\n") + 1
            if end != len(content):
                file.truncate(end)

    def _failure(self, error: OSError) -> ResultsError:
        return ResultsError(
            f"cannot write {self.path}: {os.strerror(error.errno or 0)}; put that right and run "
            "the same command again to go on"
        )


def read_results(path: Path) -> Iterator[Result]:
    """Results of a file, later lines included; an unfinished last line is left out."""
    if not path.is_file():
        return
    known = {f.name for f in fields(Result)}
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return
            try:
                row: dict[str, Any] = json.loads(line)
                yield Result(**{k: v for k, v in row.items() if k in known})
            except (ValueError, TypeError, AttributeError) as error:
                raise ResultsError(
                    f"{path}:{number} is not a result ({error}); remove that line to go on"
                ) from error


def latest_results(path: Path) -> dict[tuple[str, int], Result]:
    """The last verdict on every sample, by task id and sample number."""
    return {(result.task_id, result.sample): result for result in read_results(path)}
