"""Files that are either whole or not there, whatever interrupts the writer."""

import os
from collections.abc import Iterable
from pathlib import Path


def atomic_write(path: Path, *pieces: bytes | memoryview) -> None:
    """Writes `pieces` one after the other to `path`; see `atomic_stream`."""
    atomic_stream(path, pieces)


def atomic_stream(path: Path, pieces: Iterable[bytes | memoryview]) -> None:
    """Writes `pieces`, taken one at a time, to `path`, in place of what is there.

    They go to `path`.partial, which is synced to the disk and renamed: without the sync, a power
    cut after the renaming could leave a file of zeros. A partial file of a killed writer is
    replaced, whatever kind of file it is. Folders are created. Raises OSError, and whatever making
    the pieces raises.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f"{path.name}.partial")
    try:
        beside.unlink(missing_ok=True)
        with beside.open("xb") as out:
            for piece in pieces:
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)
