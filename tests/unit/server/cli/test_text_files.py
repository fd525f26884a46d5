"""Texts for a command: regular files of bounded size, and nothing that never ends."""

import os
from pathlib import Path

import pytest

from midline.model.errors import UsageError
from midline.server.cli import text_files
from midline.server.cli.text_files import read_standard_input, read_text_file


def test_a_file_is_read_whole_with_its_odd_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"\xef\xbb\xbfa\r\n\xff\0")
    assert read_text_file(path) == "a\r\n\udcff\0"


@pytest.mark.timeout(20)
def test_what_is_no_file_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    for path in (Path("/dev/zero"), Path("/dev/null"), tmp_path / "fifo", Path("/dev/stdin")):
        if path.is_file():
            continue
        with pytest.raises(UsageError, match="is not a file with a text; copy the text to a file"):
            read_text_file(path)


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none cannot be read: No such file"):
        read_text_file(tmp_path / "none")
    with pytest.raises(UsageError, match=r"cannot be read|is not a file"):
        read_text_file(tmp_path)
    with pytest.raises(UsageError, match="is not the name of a file"):
        read_text_file(Path("a\0b"))


def test_size_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_files, "MAX_BYTES", 1 << 20)
    path = tmp_path / "file"
    path.write_bytes(b"x" * (1 << 20))
    assert len(read_text_file(path)) == 1 << 20
    path.write_bytes(b"x" * ((1 << 20) + 1))
    with pytest.raises(UsageError, match="file has more than 1 MB"):
        read_text_file(path)


def test_a_closed_standard_input_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UsageError, match="standard input is closed"):
        read_standard_input()
