"""Room on the disk, asked for before something large is written."""

import shutil
from pathlib import Path

from midline.model.errors import MidlineError

ROOM_BYTES = 64 << 20
"""Disk space to be left free beside what is written."""


def check_disk(target: Path, nbytes: int) -> None:
    """Raises MidlineError unless the disk of `target` has room for `nbytes`."""
    folder = target.parent
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < nbytes + ROOM_BYTES:
        raise MidlineError(
            f"{target} needs {(nbytes + ROOM_BYTES) / 1e6:.0f} MB and the disk has "
            f"{free / 1e6:.0f} MB left; make room or name another place"
        )
