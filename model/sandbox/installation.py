"""Where the tools are installed that a program in the sandbox must see."""

import os
from pathlib import Path


def installation(executable: str) -> list[Path]:
    """What to make visible for a tool outside the system folders: its installation's folder."""
    real = Path(os.path.realpath(executable))
    home = real.parent.parent if real.parent.name == "bin" else real.parent
    called = Path(executable)
    places = [home] if home in called.parents else [home, called]
    return [place for place in places if not _in_system(place)]


def _in_system(path: Path) -> bool:
    return path == Path("/") or Path("/usr") in (path, *path.parents)
