"""What the completion rules make of pieces of files: verdicts, broken files and their counts."""

from dataclasses import replace
from pathlib import Path

import pytest
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.quality.infilling.cuts import Cut
from midline.benchmarks.quality.infilling.feed import (
    VERDICTS,
    feed,
    is_broken,
    print_summary,
    show,
    sources_of,
    summary,
    verdict_of,
)
from midline.model.errors import UsageError
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

CUT = Cut("python", "a.py", "line", "def f(x):\n    ", "y = 2 * x", "\n    return y\n")


@pytest.mark.parametrize(
    ("shown", "verdict"),
    [
        ("y = 2 * x", "kept"),
        ("", "empty"),
        ("y = 2", "short"),
        ("y = 2 * x\n    return y", "beyond"),
        ("y = 2 * x\r\n    return y", "beyond"),
        ("y = 3", "changed"),
    ],
)
def test_a_verdict(shown: str, verdict: str) -> None:
    assert verdict_of(CUT, shown) == verdict
    assert verdict in VERDICTS


@pytest.mark.parametrize(
    ("shown", "broken"), [("y = 2 * x", False), ("y = (", True), ("if x:", True), ("y = 2", False)]
)
def test_a_file_that_was_accepted_is_broken_by_what_its_language_refuses(
    shown: str, broken: bool
) -> None:
    assert is_broken(CUT, shown) == broken


def test_a_file_that_was_broken_before_is_not_counted() -> None:
    assert not is_broken(Cut("python", "a.py", "rest", "f(", "x)", "\n"), "y")


def test_pieces_go_through_the_rules(tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_gguf(read_gguf(write_tiny_model(tmp_path / "tiny.gguf", QWEN2)))
    run_on = replace(CUT, run_on=CUT.after)
    again = Cut("python", "a.py", "line", "def f(x):\n    ", "return y", "\n    return y\n")
    rows = list(feed(tokenizer, [CUT, run_on, again]))
    assert [row["shown"] for row in rows] == ["y = 2 * x", "y = 2 * x", ""]
    assert [row["verdict"] for row in rows] == ["kept", "kept", "empty"]
    assert [row["line"] for row in rows] == [2, 2, 2]


def test_a_summary_has_all_each_kind_and_each_language(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"language": "go", "kind": "rest", "verdict": "kept", "broken": False, "line": 1}
    rows = [row, {**row, "kind": "line", "verdict": "short", "broken": True, "shown": "y"}]
    found = {(each["language"], each["kind"]): each for each in summary(rows)}
    assert set(found) == {("all", "all"), ("all", "rest"), ("all", "line"), ("go", "all")}
    assert (found["go", "all"]["cuts"], found["go", "all"]["kept"]) == (2, 1)
    assert (found["all", "line"]["short"], found["all", "line"]["broken"]) == (1, 1)
    print_summary(list(found.values()))
    show([CUT, CUT], rows)
    printed = capsys.readouterr().out
    assert printed.count("\ngo ") == 1
    assert "line, short: a.py:1" in printed and "rest, " not in printed


def test_files_are_sorted_by_language(tmp_path: Path) -> None:
    for name in ("a.rs", "b.rs", "c.py", "d.unknown"):
        (tmp_path / name).write_text("x\n" * 20)
    (tmp_path / "short.rs").write_text("x\n")
    found = sources_of([tmp_path])
    assert {language: len(files) for language, files in found.items()} == {"rust": 2, "python": 1}
    assert set(sources_of([tmp_path / "d.unknown"])) == {"unknown"}


def test_a_folder_without_files_is_an_error_with_the_way_out(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="name others"):
        sources_of([tmp_path])


def test_by_default_files_of_several_languages_are_found() -> None:
    found = sources_of([])
    assert {"python", "cpp", "cmake"} <= set(found)
