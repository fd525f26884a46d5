"""Cache files: regular or refused, whole or absent."""

import os
from pathlib import Path

import pytest

from midline.model.weights.cache_files import read_cache_file, write_cache_file


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_cache_file(path, [b"first ", memoryview(b"second")])
    assert read_cache_file(path, 100) == b"first second"
    assert read_cache_file(path, 5) == b"first"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.timeout(20)
def test_special_files_are_refused_at_once(tmp_path: Path) -> None:
    fifo, link = tmp_path / "fifo", tmp_path / "zero"
    os.mkfifo(fifo)
    link.symlink_to("/dev/zero")
    for path in (fifo, link, tmp_path):
        with pytest.raises(OSError, match="is not a regular file"):
            read_cache_file(path, 10)
    with pytest.raises(FileNotFoundError):
        read_cache_file(tmp_path / "none", 10)


def test_a_failed_write_leaves_what_was_there(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_cache_file(path, [b"whole"])
    with pytest.raises(TypeError):
        write_cache_file(path, [b"half", None])  # type: ignore[list-item]
    assert path.read_bytes() == b"whole"
    assert list(tmp_path.iterdir()) == [path]


def test_a_writer_does_not_follow_a_link_in_the_place_of_its_unfinished_file(
    tmp_path: Path,
) -> None:
    precious = tmp_path / "precious"
    precious.write_bytes(b"kept")
    path = tmp_path / "file"
    path.with_name("file.partial").symlink_to(precious)
    write_cache_file(path, [b"new"])
    assert path.read_bytes() == b"new" and precious.read_bytes() == b"kept"
