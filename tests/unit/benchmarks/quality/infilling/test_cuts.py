"""Pieces of files: each is the text between what stands before and behind it, of its kind."""

import random

import pytest

from midline.benchmarks.quality.infilling.cuts import KINDS, MOST_LINES, SourceText, draw_cuts

GO = """package a

// Double doubles
// a number.
func Double(n int) int {
	if n == 0 {
		return 0
	}
	m := n + n
	return m
}
"""
SOURCE = SourceText("a.go", GO)


@pytest.mark.parametrize(
    ("kind", "line", "expected"),
    [
        ("line", "m := n + n", {"m := n + n"}),
        ("block", "m := n + n", {"m := n + n\n\treturn m"}),
        ("block", "return m", {None}),
        ("closing", "if n == 0 {", {"\n\t\treturn 0\n\t}"}),
        ("closing", "m := n + n", {None}),
        ("brackets", "func Double(n int) int {", {"n int", GO[GO.index("\n\tif") : -2]}),
        ("rest", "return m", {" m", "m", "turn m", "urn m", "eturn m", "rn m", "n m"}),
        ("span", "return m", {None, " "}),
    ],
)
def test_a_kind_of_piece(kind: str, line: str, expected: set[str | None]) -> None:
    row = next(n for n, text in enumerate(SOURCE.lines) if text.strip() == line)
    dice = random.Random(1)
    spans = [KINDS[kind](SOURCE, row, dice) for _ in range(60)]
    assert {span and GO[slice(*span)] for span in spans} <= expected
    if kind == "brackets":
        assert len(set(spans)) == 2


def test_the_last_lines_only_close_the_blocks_further_out() -> None:
    spans = [KINDS["last"](SOURCE, 0, random.Random(seed)) for seed in range(60)]
    found = {GO[slice(*span)].partition("\n")[0] for span in spans if span}
    assert {"return m", "}", "m := n + n", "if n == 0 {"} <= found
    assert "return 0" not in found  # a statement further out follows


def test_lines_of_text_are_told_by_the_grammar_and_else_by_how_they_begin() -> None:
    assert SOURCE.text_rows == {2, 3}
    assert SourceText("a.py", 'x = """\na\nb\n"""\n').text_rows == {1, 2}
    assert SourceText("a.nix", "a\n# b\n").text_rows == {1}
    assert SourceText("a.md", "a\n# b\n").text_rows == frozenset()


def test_pieces_are_of_each_kind_and_join_to_the_file_again() -> None:
    cuts = list(draw_cuts([SOURCE], 80, seed=0))
    assert {cut.kind for cut in cuts} == set(KINDS)
    for cut in cuts:
        assert cut.before + cut.middle + cut.after == GO
        assert cut.middle.strip() and cut.middle.count("\n") <= MOST_LINES
        assert cut.after.startswith(cut.run_on)
        assert not cut.run_on or cut.run_on == cut.after or cut.run_on.endswith("\n")
    assert {bool(cut.run_on) for cut in cuts} == {True, False}


def test_pieces_are_drawn_alike_again() -> None:
    first, again, other = (list(draw_cuts([SOURCE], 40, seed)) for seed in (1, 1, 2))
    assert first == again != other
