"""Reading files of the cache, regular files only."""

import os
import stat
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
