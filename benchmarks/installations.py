"""Another installation of Midline to compare with this one, each by its `midline` command."""

import sys
from pathlib import Path

from midline.model.errors import UsageError


def other_and_own(other: Path) -> tuple[Path, Path]:
    """The `midline` of another installation and of this one; UsageError if either is no file."""
    own = Path(sys.executable).parent / "midline"
    for executable in (other, own):
        if not executable.is_file():
            raise UsageError(f"{executable} is not a command; name the `midline` of a venv")
    return other, own
