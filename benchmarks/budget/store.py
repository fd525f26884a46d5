"""Append-only JSONL files with a key in every row, from which an interrupted run goes on."""

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from midline.benchmarks.growing_file import append, cut_unfinished_line
from midline.benchmarks.mbxp.results import ResultsError


class Store:
    """Rows by their field `key`; a row is written in one piece, from any thread.

    An unfinished last line, of a run that was killed, is cut off. Of equal keys the last counts.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        path.parent.mkdir(parents=True, exist_ok=True)
        self.rows: dict[str, dict[str, Any]] = {row["key"]: row for row in read_rows(path)}
        cut_unfinished_line(self.path)

    def __contains__(self, key: str) -> bool:
        return key in self.rows

    def get(self, key: str) -> dict[str, Any] | None:
        """The row of a key."""
        return self.rows.get(key)

    def add(self, key: str, row: dict[str, Any]) -> dict[str, Any]:
        """Write a row; ResultsError if the disk does not take it."""
        whole = {"key": key, **row}
        data = (json.dumps(whole) + "\n").encode()
        with self._lock:
            append(self.path, data, "a line")
            self.rows[key] = whole
        return whole


def read_rows(path: Path) -> Iterator[dict[str, Any]]:
    """Rows of a file, without an unfinished last line; ResultsError names a line that is none."""
    if not path.is_file():
        return
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if not line.endswith(b"\n"):
                return
            try:
                row = json.loads(line)
                yield {**row, "key": str(row["key"])}
            except (ValueError, KeyError, TypeError) as error:
                raise ResultsError(
                    f"{path}:{number} is not a row ({error}); remove that line to go on"
                ) from error
