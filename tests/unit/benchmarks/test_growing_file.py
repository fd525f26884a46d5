"""Files of lines that only grow, and what a kill or a full disk leaves of them."""

from pathlib import Path

import pytest

from midline.benchmarks.growing_file import append, cut_unfinished_line
from midline.benchmarks.mbxp.results import ResultsError


@pytest.mark.parametrize(
    ("content", "left"),
    [(b"a\nb\n", b"a\nb\n"), (b"a\nb", b"a\n"), (b"half", b""), (b"", b"")],
)
def test_an_unfinished_line_is_cut_off(tmp_path: Path, content: bytes, left: bytes) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes(content)
    cut_unfinished_line(path)
    append(path, b"c\n", "a line")
    assert path.read_bytes() == left + b"c\n"


def test_a_file_that_is_not_there_is_left_alone(tmp_path: Path) -> None:
    cut_unfinished_line(tmp_path / "rows.jsonl")
    assert not (tmp_path / "rows.jsonl").exists()


def test_a_disk_that_does_not_take_a_line_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="cannot write"):
        append(tmp_path / "none" / "rows.jsonl", b"c\n", "a line")
    if Path("/dev/full").exists():
        with pytest.raises(ResultsError, match="No space left"):
            append(Path("/dev/full"), b"c\n", "a line")
