"""`midline-bench structure`: the JSON and what it refuses."""

import json
from pathlib import Path

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.structure import command


def test_the_numbers_of_this_tree(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["structure", "--no-keystroke", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found == command.measure(command.HERE)
    assert found["files_by_folder"]["benchmarks/structure"] == 4
    assert found["cpp_lines_over_120"] == 0


def test_lists_are_printed_with_their_length() -> None:
    found = {"classes": ["a", "b"], "folders": {"model": 3}, "lines": 4}
    assert command.lines(found) == [
        "classes: 2", "  a", "  b", "folders:", "      3  model", "lines: 4",
    ]  # fmt: skip


def test_a_folder_that_is_no_checkout_is_a_wrong_call(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["structure", "--root", str(tmp_path)]) == 2
    assert f"{tmp_path} is no checkout of Midline" in capsys.readouterr().err
