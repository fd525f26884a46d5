"""A model file on a disk of this machine."""

from pathlib import Path

from midline.model.catalog.catalog import ModelEntry
from midline.model.catalog.sources import Report, SourceError

CHUNK_BYTES = 1 << 22


class PathSource:
    """Copies from `origin`: the file, or the folder that contains it under its published name."""

    def __init__(self, origin: Path) -> None:
        self.origin = origin
        self.name = str(origin)

    def announcement(self, entry: ModelEntry) -> str:
        """Nothing: the user named this place, or the publisher keeps it."""
        return ""

    def fetch(self, entry: ModelEntry, folder: Path, report: Report) -> Path:
        """Copy the file into `folder`; a partial copy is not resumed."""
        origin = self.origin / entry.file if self.origin.is_dir() else self.origin
        try:
            source = origin.open("rb")
        except OSError as error:
            raise SourceError(f"cannot read {origin} ({error.strerror})") from error
        copy = folder / "copy"
        done = 0
        with source, copy.open("wb") as target:
            while chunk := source.read(CHUNK_BYTES):
                target.write(chunk)
                done += len(chunk)
                report(done)
        return copy
