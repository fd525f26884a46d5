"""Files of lines that only grow. A line counts when it is whole; a kill may leave one cut off."""

from pathlib import Path

from midline.benchmarks.mbxp.results import ResultsError


def append(path: Path, data: bytes, what: str) -> None:
    """Write `data` in one piece at the end; ResultsError where the disk does not take it.

    what: the word for the piece, as in "a line".
    """
    try:
        with path.open("ab", buffering=0) as file:
            written = file.write(data)
    except OSError as error:
        raise ResultsError(f"cannot write {path}: {error.strerror}") from error
    if written != len(data):
        raise ResultsError(f"the disk is full: {path} took only part of {what}")


def cut_unfinished_line(path: Path) -> None:
    """Cut off what follows the last end of a line, of a run that was killed."""
    if path.is_file():
        with path.open("rb+") as file:
            content = file.read()
            end = content.rfind(b"\n") + 1
            if end != len(content):
                file.truncate(end)
