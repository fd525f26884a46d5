"""Files are whole or absent, whoever interrupts the writer."""

import os
from pathlib import Path

import pytest

from midline.model.atomic_write import atomic_write


def test_the_disk_has_the_file_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, events = tmp_path / "deep" / "file", []
    sync, rename = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda fd: (events.append("sync"), sync(fd))[1])
    monkeypatch.setattr(Path, "replace", lambda *two: (events.append("rename"), rename(*two))[1])
    atomic_write(path, b"first ", memoryview(b"second"))
    assert events == ["sync", "rename"]
    assert path.read_bytes() == b"first second" and list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    atomic_write(path, b"whole")
    with pytest.raises(TypeError):
        atomic_write(path, b"half", None)  # type: ignore[arg-type]
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_does_not_follow_a_link_in_the_place_of_its_unfinished_file(
    tmp_path: Path,
) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"kept")
    path = tmp_path / "file"
    path.with_name("file.partial").symlink_to(precious)
    atomic_write(path, b"new")
    assert path.read_bytes() == b"new" and precious.read_bytes() == b"kept"
