"""Documents of files, folders, JSONL (plain or zstd) and Parquet, read in bounded memory.

A file is a document; a line of a `.jsonl` file or a row of a `.parquet` file is one if it has the
text in a field `text`, `content`, `raw_content` or `prompt`. What cannot be read is counted and
skipped.
"""

import io
import json
import os
import stat
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, BinaryIO

from midline.model.errors import MidlineError, UsageError

MAX_BYTES = 16 << 20
"""Longest document that is read; longer ones are data."""
TEXT_FIELDS = ("text", "content", "raw_content", "prompt")
_ID_FIELDS = ("id", "doc_id", "task_id")
_NAME_FIELDS = ("name", "path", "file")
_ROWS = 256
JSONL, ZSTD, PARQUET = ".jsonl", ".jsonl.zst", ".parquet"
EXTRA = "pip install 'midline[corpus]'"


@dataclass(frozen=True)
class Record:
    """A document: its text, and what else its file says of it.

    `id` is unique among the inputs, `name` is a file name that tells the language, `fields` are the
    other fields of its line.
    """

    id: str
    text: str
    name: str = ""
    domain: str | None = None
    fields: dict[str, Any] = field(default_factory=dict)


Skipped = Counter[str]
"""How many inputs were left out, by reason."""
UNREADABLE, BINARY, TOO_LONG = "unreadable files", "binary files", "documents over 16 MB"
BROKEN, NO_TEXT = "lines that are not JSON", "records without a text"
REPAIRED = "documents with bytes that are not UTF-8 (read with U+FFFD)"


def file_record(path: Path, name: str, skipped: Skipped) -> Record | None:
    """The document that a file is; None, counted, if it is none."""
    try:
        with open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
    except OSError:
        skipped[UNREADABLE] += 1
        return None
    if len(data) > MAX_BYTES:
        skipped[TOO_LONG] += 1
        return None
    if b"\0" in data:
        skipped[BINARY] += 1
        return None
    return Record(name, decoded(data, skipped), name)


@contextmanager
def open_regular(path: Path) -> Iterator[BinaryIO]:
    """`path` for reading; OSError if it is no regular file: a device or a FIFO may never end."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("it is no regular file")
        yield file


def decoded(data: bytes, skipped: Skipped) -> str:
    """`data` as UTF-8, its bytes that are none replaced and the document counted."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        skipped[REPAIRED] += 1
        return data.decode("utf-8", "replace")


def jsonl_records(
    path: Path, name: str, skipped: Skipped, start: int = 0, end: int | None = None
) -> Iterator[Record]:
    """The documents of the lines that begin in [start, end) of a JSONL file.

    Ids are those of the lines, or the file's name with the line's offset. Offsets are those of the
    unpacked text.
    """
    with open_regular(path) as raw, _unpacked(raw, path) as file:
        if start:
            file.seek(start - 1)
            _skip_line(file)  # of the range before, unless the range begins with a line
            start = file.tell()
        offset = start
        while end is None or offset < end:
            line, size = _line(file, skipped)
            if not size:
                return
            if line is not None:
                record = _parsed(line, f"{name}:{offset}", skipped)
                if record is not None:
                    yield record
            offset += size


@contextmanager
def _unpacked(raw: BinaryIO, path: Path) -> Iterator[Any]:
    if not path.name.endswith(".zst"):
        yield raw
        return
    zstandard = extra_module("zstandard", f"{path.name} is packed with zstd")
    with zstandard.ZstdDecompressor().stream_reader(raw) as stream:
        yield io.BufferedReader(stream)


def extra_module(name: str, why: str) -> Any:
    """A module of the extra `corpus`; MidlineError that says `why` it is needed."""
    import importlib

    try:
        return importlib.import_module(name)
    except ImportError as error:
        package = name.partition(".")[0]
        raise MidlineError(f"{why}, which needs {package}: {EXTRA}") from error


def _line(file: Any, skipped: Skipped) -> tuple[bytes | None, int]:
    """The next line and its bytes; None for one that is too long, read in pieces; size 0 at end."""
    line = file.readline(MAX_BYTES + 1)
    size = len(line)
    if size <= MAX_BYTES:
        return line, size
    skipped[TOO_LONG] += 1
    while line and not line.endswith(b"\n"):
        line = file.readline(MAX_BYTES)
        size += len(line)
    return None, size


def _skip_line(file: Any) -> None:
    line = file.readline(MAX_BYTES)
    while line and not line.endswith(b"\n"):
        line = file.readline(MAX_BYTES)


def _parsed(line: bytes, place: str, skipped: Skipped) -> Record | None:
    text = decoded(line, skipped)
    if not text.strip():
        return None
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):
        skipped[BROKEN] += 1
        return None
    return record_of(fields, place, skipped)


def record_of(fields: Any, place: str, skipped: Skipped) -> Record | None:
    """The document of a line or row; None, counted, if it has no text."""
    found = [k for k in TEXT_FIELDS if isinstance(fields, dict) and isinstance(fields.get(k), str)]
    if not found:
        skipped[NO_TEXT] += 1
        return None
    name = _first(fields, _NAME_FIELDS, "")
    others = {key: value for key, value in fields.items() if key != found[0]}
    domain = fields.get("source_domain")
    return Record(
        _first(fields, _ID_FIELDS, name or place), fields[found[0]], name,
        domain if isinstance(domain, str) else None, others,
    )  # fmt: skip


def _first(fields: dict[str, Any], names: tuple[str, ...], otherwise: str) -> str:
    return next((str(fields[name]) for name in names if fields.get(name) not in (None, "")),
                otherwise)  # fmt: skip


def parquet_records(path: Path, name: str, skipped: Skipped) -> Iterator[Record]:
    """The documents of the rows of a Parquet file, a batch at a time."""
    parquet = extra_module("pyarrow.parquet", f"{path.name} is a Parquet file")
    try:
        file = parquet.ParquetFile(path)
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} is not a Parquet file ({error}); name another") from error
    row = 0
    with file:
        for batch in file.iter_batches(batch_size=_ROWS):
            for fields in batch.to_pylist():
                record = record_of(fields, f"{name}:{row}", skipped)
                row += 1
                if record is not None:
                    yield record
