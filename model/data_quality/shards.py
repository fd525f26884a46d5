"""The inputs of a run as shards, each of which is read, worked on and written as a whole.

A shard is some files of a folder, a range of a JSONL file or a whole packed file. Its output is
either complete or absent, so that a run which was killed continues with the same command: nothing
is lost and nothing is written twice.
"""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from midline.model.data_quality.records import (
    JSONL,
    PARQUET,
    ZSTD,
    Record,
    Skipped,
    file_record,
    jsonl_records,
    parquet_records,
)
from midline.model.errors import UsageError

FILES = 512
"""Files of a shard of a folder."""
RANGE = 32 << 20
"""Bytes of a shard of a JSONL file."""
_LEFT_OUT = frozenset((".git", ".hg", ".svn"))


@dataclass(frozen=True)
class Shard:
    """Files, or the lines that begin in [start, end) of one JSONL file.

    `names` are what the records of the files are called.
    """

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    start: int = 0
    end: int | None = None

    @property
    def size(self) -> int:
        """Bytes of the input, as far as they can be told."""
        if self.end is not None:
            return self.end - self.start
        return sum(_size(path) for path in self.paths)

    @property
    def key(self) -> str:
        """Tells this shard of these inputs from every other, and from one of changed inputs."""
        states = [(str(path), name, _state(path)) for path, name in self._named()]
        text = json.dumps([states, self.start, self.end])
        return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def _named(self) -> Iterator[tuple[Path, str]]:
        return zip(self.paths, self.names, strict=True)

    def records(self, skipped: Skipped) -> Iterator[Record]:
        """The documents of the shard; what is left out is counted in `skipped`."""
        for path, name in self._named():
            if path.name.endswith((JSONL, ZSTD)):
                yield from jsonl_records(path, name, skipped, self.start, self.end)
            elif path.name.endswith(PARQUET):
                yield from parquet_records(path, name, skipped)
            else:
                record = file_record(path, name, skipped)
                if record is not None:
                    yield record


def plan(paths: Sequence[Path]) -> list[Shard]:
    """The shards of files and folders, in an order that depends on their names alone.

    Links to folders inside of a folder are not followed, so that a loop of links ends, and no file
    is taken twice. Raises UsageError for a path that is not there, or that has nothing in it.
    """
    plain: list[tuple[Path, str]] = []
    shards: list[Shard] = []
    seen: set[str] = set()
    for path in paths:
        for file, name in _files(path, "" if len(paths) == 1 else f"{path.as_posix()}/"):
            real = os.path.realpath(file)
            if real in seen:
                continue
            seen.add(real)
            if name.endswith((JSONL, ZSTD, PARQUET)):
                shards += _ranges(file, name)
            else:
                plain.append((file, name))
    for at in range(0, len(plain), FILES):
        group = plain[at : at + FILES]
        shards.append(Shard(tuple(p for p, _ in group), tuple(n for _, n in group)))
    if not shards:
        raise UsageError(f"{paths[0]} has no files; name files or folders with text")
    return shards


def _files(path: Path, prefix: str) -> Iterator[tuple[Path, str]]:
    """Files and their names, which begin with `prefix` in a folder."""
    if path.is_file():
        yield path, path.name if not prefix else path.as_posix()
    elif path.is_dir():
        for folder, folders, files in os.walk(path):
            folders[:] = sorted(name for name in folders if name not in _LEFT_OUT)
            for name in sorted(files):
                file = Path(folder, name)
                yield file, prefix + file.relative_to(path).as_posix()
    else:
        raise UsageError(f"{path} does not exist or is no file; name files or folders with text")


def _ranges(path: Path, name: str) -> Iterator[Shard]:
    size = _size(path)
    if not name.endswith(JSONL) or size <= RANGE:
        yield Shard((path,), (name,))
        return
    for start in range(0, size, RANGE):
        yield Shard((path,), (name,), start, min(start + RANGE, size))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError:
        return 0, 0
    return found.st_size, found.st_mtime_ns
