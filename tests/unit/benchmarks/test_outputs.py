"""What cannot be written is refused before anything is measured."""

import os
from pathlib import Path

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.outputs import output_file
from midline.model.errors import UsageError


def test_what_can_be_written_is_taken(tmp_path: Path) -> None:
    assert output_file(str(tmp_path / "new.json")) == tmp_path / "new.json"
    (tmp_path / "old.json").write_text("{}")
    assert output_file(str(tmp_path / "old.json")).read_text() == "{}"
    assert output_file("here.json") == Path("here.json")


def test_what_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for name, reason in (
        ("", "it is a folder"),
        ("typo/new.json", f"there is no folder {tmp_path / 'typo'}"),
        ("file/new.json", f"there is no folder {tmp_path / 'file'}"),
    ):
        with pytest.raises(UsageError, match=f"^cannot write .*: {reason}; "):
            output_file(str(tmp_path / name))


@pytest.mark.parametrize("name", ["new.json", "old.json"])
def test_what_is_not_permitted_is_refused(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "old.json").touch()
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(UsageError, match="not permitted"):
        output_file(str(tmp_path / name))


def test_a_mistyped_folder_costs_no_measurement(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = home / "results" / "speed.json"
    assert main(["speed", "decode", "--model", "absent", "--json", str(path)]) == 2
    assert f"cannot write {path}: there is no folder {path.parent}" in capsys.readouterr().err
