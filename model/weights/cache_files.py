"""Files of the cache: never waited for when they are read, never seen half written."""

import os
import stat
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO


def open_cache_file(path: Path) -> BinaryIO:
    """`path` opened for unbuffered reading; OSError also for what is not a regular file.

    A FIFO or a device of that name would block the reader or never end.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{path} is not a regular file")
    return os.fdopen(descriptor, "rb", buffering=0)


def read_cache_file(path: Path, limit: int) -> bytes:
    """The first `limit` bytes of a small file; OSError as `open_cache_file` raises it."""
    with open_cache_file(path) as source:
        return source.read(limit)


def write_cache_file(path: Path, pieces: Sequence[bytes | memoryview]) -> None:
    """Writes beside `path` and renames; what a killed writer left is replaced by the next."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.partial")
    try:
        beside.unlink(missing_ok=True)
        with beside.open("xb") as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())  # renamed before it is on disk, a power cut leaves zeros
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
