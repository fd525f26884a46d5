"""Files and blocks: what is taken out comes back by typing, and choices are repeatable."""

from itertools import pairwise
from pathlib import Path

import pytest

from midline.benchmarks.quality.typing.files import Block, TypedFile, default_files, given_files
from midline.model.errors import UsageError

TEXT = "\n".join(f"line_{number} = {number}" if number % 7 else "" for number in range(300))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.py", "b.py", "c.py", "d.py", "e.go", "f.go"):
        (tmp_path / name).write_text(f"# {name}\n{TEXT}")
    (tmp_path / "short.py").write_text("x = 1\n")
    (tmp_path / "notes.txt").write_text(TEXT)
    return tmp_path


def test_blocks_come_back_one_after_the_other() -> None:
    text = "0\n1\n2\n3\n4\n5"
    file = TypedFile("python", "a.py", text, (Block(1, ("1", "2")), Block(4, ("4",))))
    assert [file.without(done) for done in range(3)] == ["0\n3\n5", "0\n1\n2\n3\n5", text]


def test_lines_are_shared_out_among_languages_and_files(folder: Path) -> None:
    files = given_files([folder], 40, seed=1, block=4)
    assert {file.language for file in files} == {"python", "go"}
    assert sum(len(block.lines) for file in files for block in file.blocks) == 40
    for file in files:
        assert file.name not in [name for name, _ in file.others]
        assert all(block.lines[0].strip() for block in file.blocks)
        assert file.text.split("\n")[file.blocks[0].first] == file.blocks[0].lines[0]
    assert given_files([folder], 40, 1, 4) == files
    assert given_files([folder], 40, 2, 4) != files


def test_blocks_do_not_touch(folder: Path) -> None:
    (file,) = given_files([folder / "a.py"], 60, seed=3, block=5)
    firsts = [block.first for block in file.blocks]
    assert len(firsts) == 12
    assert all(b - a > 10 for a, b in pairwise(firsts))


def test_nothing_to_type_in_is_a_wrong_call(tmp_path: Path) -> None:
    (tmp_path / "short.py").write_text("x = 1\n")
    with pytest.raises(UsageError, match="120 to 1500 lines"):
        given_files([tmp_path], 10, 0)


def test_what_the_tests_install_has_files_of_two_languages_and_none_of_midline() -> None:
    files = default_files(30, seed=0)
    assert {"python", "cpp"} <= {file.language for file in files}
    assert not [file.name for file in files if "midline" in file.text]
