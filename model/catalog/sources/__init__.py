"""The sources of model files, one per module. No source is trusted.

A source downloads into a folder of its own and returns the path of a file, which
`midline.model.catalog.pull` verifies. Partial downloads stay in the folder and are resumed by the
next pull.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from midline.model.catalog.catalog import ModelEntry
from midline.model.errors import MidlineError

Report = Callable[[int], None]
"""Callback for the number of bytes downloaded so far."""


class SourceError(MidlineError):
    """This source cannot provide the model; the next one is tried."""


class Source(Protocol):
    """A source of model files; `name` is its name on the command line."""

    name: str

    def announcement(self, entry: ModelEntry) -> str:
        """A sentence for the user before the download, where it comes from third parties; or ""."""
        ...

    def fetch(self, entry: ModelEntry, folder: Path, report: Report) -> Path:
        """Download the whole model, unverified, into one file inside `folder`; returns its path.

        Raises SourceError, and OSError of the local disk.
        """
