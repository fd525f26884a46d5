"""Output files, checked for being writable before the measurement starts."""

import os
from pathlib import Path

from midline.model.errors import UsageError


def output_file(text: str) -> Path:
    """The argparse type of output files; UsageError if the file cannot be written."""
    path = Path(text)
    if path.is_dir():
        reason = "it is a folder"
    elif not path.parent.is_dir():
        reason = f"there is no folder {path.parent}"
    elif not os.access(path if path.exists() else path.parent, os.W_OK):
        reason = "that is not permitted"
    else:
        return path
    raise UsageError(f"cannot write {text}: {reason}; name a file that can be written")
