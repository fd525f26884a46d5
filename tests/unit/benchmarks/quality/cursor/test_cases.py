"""The marked projects: enough of them, well marked, and every expected text fits."""

from collections import Counter
from pathlib import Path

import pytest

from midline.benchmarks.quality.cursor.cases import load_cases, whole
from midline.benchmarks.quality.cursor.measure import parses
from midline.model.errors import MidlineError


def test_there_are_enough_cases_in_six_languages() -> None:
    counted = Counter(case.language for case in load_cases())
    assert set(counted) == {"python", "typescript", "go", "java", "rust", "cpp"}
    assert min(counted.values()) >= 10
    assert sum(counted.values()) >= 60
    assert len({case.place for case in load_cases()}) == sum(counted.values())


def test_every_expected_text_fits_its_file() -> None:
    for case in load_cases():
        assert case.others
        for text in case.expected:
            assert text.strip(), case.place
            assert parses(case.file, case.before + text + case.after), (case.place, text)


def test_a_case_leaves_out_one_piece(tmp_path: Path) -> None:
    (tmp_path / "go-pair").mkdir()
    (tmp_path / "go-pair" / "a.go.txt").write_text("x := «1»\ny := f(«x¦1»)\n")
    (tmp_path / "go-pair" / "b.go.txt").write_text("z := «2»\n")
    first, second, third = load_cases(tmp_path)
    assert (first.before, first.after) == ("x := ", "\ny := f(x)\n")
    assert (second.before, second.after) == ("x := 1\ny := f(", ")\n")
    assert second.expected == ("x", "1")
    assert second.place == "go-pair/a.go:2:8"
    assert second.others == (("b.go", "z := 2\n"),)
    assert (third.language, third.file) == ("go", "b.go")


def test_a_mark_that_is_not_closed_is_named(tmp_path: Path) -> None:
    (tmp_path / "go-open").mkdir()
    (tmp_path / "go-open" / "a.go.txt").write_text("x := «1\n")
    with pytest.raises(MidlineError, match=r"go-open/a\.go"):
        load_cases(tmp_path)
    assert whole("x := «1¦2» + 3") == "x := 1 + 3"
