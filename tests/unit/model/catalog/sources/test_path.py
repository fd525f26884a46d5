"""A model from a disk."""

from pathlib import Path

import pytest

from midline.model.catalog.catalog import ModelEntry
from midline.model.catalog.sources import SourceError
from midline.model.catalog.sources.path import PathSource


@pytest.mark.parametrize("by_folder", [True, False])
def test_file_or_folder(entry: ModelEntry, content: bytes, tmp_path: Path, by_folder: bool) -> None:
    origin = tmp_path / "downloads"
    origin.mkdir()
    (origin / entry.file).write_bytes(content)
    seen: list[int] = []
    copy = PathSource(origin if by_folder else origin / entry.file).fetch(
        entry, tmp_path, seen.append
    )
    assert copy.parent == tmp_path
    assert copy.read_bytes() == content
    assert seen[-1] == len(content)
    assert (origin / entry.file).read_bytes() == content


def test_a_folder_without_the_file_is_named(entry: ModelEntry, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"cannot read .*tiny\.gguf \(No such file"):
        PathSource(tmp_path).fetch(entry, tmp_path, lambda done: None)
