"""Standard input, output and error of a command, whatever its caller has made of them."""

import contextlib
import io
import os
import sys
from typing import Any


class _Output(io.FileIO):
    """Standard output that remembers why it could not be written; argparse for one ignores it."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        """As a file does it."""
        try:
            return super().write(data)
        except OSError as error:
            self.failure = error
            raise


def prepare_standard_streams() -> None:
    """Notes failures of standard output, and keeps files from taking the descriptor of a closed
    stream.

    Python has None in that place: what is printed to a closed standard error would go to standard
    output, and what is printed to a closed standard output would be lost without a word.
    """
    for descriptor in range(3):
        with contextlib.suppress(OSError):
            os.fstat(descriptor)
            continue
        os.open(os.devnull, os.O_RDONLY)  # the lowest free descriptor is this one; no write works
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open to the end
    if sys.stdout is sys.__stdout__:  # and not the capture of a test
        how = {"encoding": "utf-8", "errors": "strict", "line_buffering": False}
        if sys.stdout is not None:
            how = {name: getattr(sys.stdout, name) for name in how}
        raw = _Output(1, "wb", closefd=False)
        sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), **how)  # type: ignore[arg-type]


def say(sentence: str) -> None:
    """A sentence on standard error; one that cannot be written changes nothing."""
    try:
        print(sentence, file=sys.stderr, flush=True)
    except OSError:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open to the end


def abandon_output() -> OSError | None:
    """Why standard output could not be written, if so; nothing is written to it any more then.

    Otherwise the interpreter would complain a second time when it flushes at its end.
    """
    with contextlib.suppress(OSError):
        sys.stdout.flush()
    raw = getattr(getattr(sys.stdout, "buffer", None), "raw", None)
    if not isinstance(raw, _Output) or raw.failure is None:
        return None
    sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - open to the end
    return raw.failure
