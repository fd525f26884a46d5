"""Places to get a model's bytes from, one file each; none of them is trusted.

A source writes into a folder of unfinished work and hands back a file, which
`midline.model.catalog.pull` verifies. What it leaves there after a failure is resumed by the next
try.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from midline.model.catalog.catalog import ModelEntry
from midline.model.errors import MidlineError

Report = Callable[[int], None]
"""Called with the number of bytes of the model obtained so far."""


class SourceError(MidlineError):
    """This source cannot give the model now; another one may."""


class Source(Protocol):
    """A place to get a model from; `name` is what the user calls it."""

    name: str

    def fetch(self, entry: ModelEntry, folder: Path, report: Report) -> Path:
        """Put the whole model into one file inside `folder`, unverified, and return its path.

        Raises SourceError; lets OSError of the local disk through.
        """
