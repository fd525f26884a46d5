"""Cache files: regular or refused."""

import os
from pathlib import Path

import pytest

from midline.model.atomic_write import atomic_write
from midline.model.weights.cache_files import read_cache_file


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    atomic_write(path, b"first ", memoryview(b"second"))
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
