"""Output files of shards: JSONL, JSONL packed with zstd, or Parquet; complete or absent."""

import errno
import json
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from midline.model.atomic_write import atomic_write
from midline.model.data_quality.records import extra_module
from midline.model.errors import MidlineError

FORMATS = ("jsonl", "jsonl.zst", "parquet")
_ROWS = 256


class ShardOutput:
    """The outputs of a run in a folder, a file a shard and a report beside it.

    A shard is done if its file is there and its report has the key of its inputs and options. The
    report is written first and the file renamed last, so that a kill at any moment leaves either a
    shard that is done or one that is not.
    """

    def __init__(self, folder: Path, format: str, options: str) -> None:
        """`options` is everything besides the inputs that the outputs depend on."""
        self._folder, self._format, self._options = folder, format, options

    def path(self, number: int) -> Path:
        """The output of a shard."""
        return self._folder / f"shard-{number:05d}.{self._format}"

    def _report(self, number: int) -> Path:
        return self._folder / f"shard-{number:05d}.report.json"

    def done(self, number: int, key: str) -> dict[str, Any] | None:
        """What was reported of a shard that is done; None if it is not."""
        try:
            found = json.loads(self._report(number).read_text("utf-8"))
            same = found["key"] == key and found["options"] == self._options
            return found["report"] if same and self.path(number).is_file() else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def write(
        self, number: int, key: str, rows: Iterable[Mapping[str, Any]],
        report: Callable[[], dict[str, Any]],
    ) -> dict[str, Any]:  # fmt: skip
        """Writes a shard's rows, asks for its report once they are written, and returns it.

        MidlineError if the disk is full, with the way out; nothing unfinished stays.
        """
        path = self.path(number)
        partial = path.with_name(f"{path.name}.partial")
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            with partial.open("wb") as file:
                writer = _WRITERS[self._format](file)
                for row in rows:
                    writer.write(row)
                writer.close()
                file.flush()
                os.fsync(file.fileno())
            found = report()
            state = {"key": key, "options": self._options, "report": found}
            atomic_write(self._report(number), json.dumps(state).encode())
            partial.replace(path)
        except OSError as error:
            raise _cannot_write(self._folder, error) from error
        finally:
            _remove(partial)
        return found


def _remove(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return


def _cannot_write(folder: Path, error: OSError) -> MidlineError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return MidlineError(
            f"the disk of {folder} is full; free some space and run the same command again, which "
            "keeps the shards that are done"
        )
    return MidlineError(f"{folder} cannot be written: {error.strerror}; name another --out")


class Writer(Protocol):
    """Takes rows and writes them to a file."""

    def write(self, row: Mapping[str, Any]) -> None:
        """Takes a row."""
        ...

    def close(self) -> None:
        """Writes what is left; the file stays open."""
        ...


class JsonLines:
    """A JSON object a line."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, row: Mapping[str, Any]) -> None:
        """Writes a line."""
        self._file.write(json_line(row))

    def close(self) -> None:
        """Nothing is left to write."""


class PackedLines:
    """JSON lines, packed with zstd."""

    def __init__(self, file: Any) -> None:
        zstandard = extra_module("zstandard", "output packed with zstd was asked for")
        self._stream = zstandard.ZstdCompressor().stream_writer(file, closefd=False)

    def write(self, row: Mapping[str, Any]) -> None:
        """Packs a line."""
        self._stream.write(json_line(row))

    def close(self) -> None:
        """Ends the frame."""
        self._stream.close()


class ParquetRows:
    """Rows of strings: what is not one is JSON, so that every shard has the same columns."""

    def __init__(self, file: Any) -> None:
        self._arrow = extra_module("pyarrow", "Parquet output was asked for")
        self._parquet = extra_module("pyarrow.parquet", "Parquet output was asked for")
        self._file, self._rows = file, list[dict[str, str]]()
        self._writer: Any = None
        self._names: list[str] = []

    def write(self, row: Mapping[str, Any]) -> None:
        """Keeps a row, and writes some together."""
        texts = {k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()}
        self._rows.append({k: v.encode("utf-8", "replace").decode() for k, v in texts.items()})
        if len(self._rows) >= _ROWS:
            self._flush()

    def _flush(self) -> None:
        if self._writer is None:
            self._names = list(self._rows[0]) if self._rows else ["id"]
            schema = self._arrow.schema([(name, self._arrow.string()) for name in self._names])
            self._writer = self._parquet.ParquetWriter(self._file, schema)
        columns = {name: [row.get(name) for row in self._rows] for name in self._names}
        self._writer.write_table(self._arrow.table(columns, schema=self._writer.schema))
        self._rows.clear()

    def close(self) -> None:
        """Writes the rows that are left and the footer."""
        self._flush()
        self._writer.close()


_WRITERS: dict[str, Callable[[Any], Writer]] = {
    "jsonl": JsonLines,
    "jsonl.zst": PackedLines,
    "parquet": ParquetRows,
}


def json_line(row: Mapping[str, Any]) -> bytes:
    """`row` as a line of JSON in UTF-8; surrogates are escaped."""
    try:
        return (json.dumps(row, ensure_ascii=False) + "\n").encode()
    except UnicodeEncodeError:
        return (json.dumps(row) + "\n").encode()
