"""Texts that a command is given to read: regular files and standard input, of bounded size."""

import os
import stat
import sys
from pathlib import Path

from midline.model.errors import UsageError
from midline.server.documents import from_bytes

MAX_BYTES = 1 << 28


def read_text_file(path: Path) -> str:
    """The text of a file; bytes that are not UTF-8 are escaped.

    UsageError for what cannot be read, is no regular file (a device or a FIFO may never end) or has
    more than `MAX_BYTES`.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise UsageError(f"{path} is not a file with a text; copy the text to a file first")
            data = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise UsageError(f"{str(path)!r} is not the name of a file: {error}") from error
    return from_bytes(_bounded(data, str(path)))


def read_standard_input() -> str:
    """The text at standard input, to its end; UsageError as `read_text_file` raises it."""
    if sys.stdin is None:
        raise UsageError("standard input is closed, and it is to be read")
    try:
        data = sys.stdin.buffer.read(MAX_BYTES + 1)
    except OSError as error:
        raise UsageError(f"standard input cannot be read: {error.strerror}") from error
    return from_bytes(_bounded(data, "standard input"))


def _bounded(data: bytes, name: str) -> bytes:
    if len(data) > MAX_BYTES:
        raise UsageError(
            f"{name} has more than {MAX_BYTES >> 20} MB, and no text of that size is read; give "
            "the part that matters"
        )
    return data
