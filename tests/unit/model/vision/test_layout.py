"""Columns from places, gutters of numbers, and type that is not monospaced."""

from midline.model.vision.layout import ReadLine, estimate_grid, lay_out, without_numbers
from midline.model.vision.recognizer import Mark


def line(text: str, number: int, pitch: float = 7.22, left: float = 5.0) -> ReadLine:
    marks = [
        Mark(left + (column + 0.5) * pitch, character, 1.0)
        for column, character in enumerate(text)
        if character != " "
    ]
    return ReadLine(marks, 20.0 + 17 * number, 6.5)


def test_the_pitch_is_found_to_a_part_of_a_pixel() -> None:
    grid = estimate_grid([line("def rate_of(country):", n) for n in range(3)])
    assert grid is not None
    assert abs(grid.pitch - 7.22) < 0.02 and grid.alignment > 0.98


def test_spaces_and_indentation_are_counted() -> None:
    texts = ["for x in y:", "        if  x   ==  1:", "    pass"]
    assert lay_out([line(t, n) for n, t in enumerate(texts)]).lines == texts


def test_empty_lines_are_kept_where_lines_are_even() -> None:
    lines = [line("a = 1", 0), line("b = 2", 1), line("c = 3", 2), line("d = 4", 4)]
    assert lay_out(lines).text == "a = 1\nb = 2\nc = 3\n\nd = 4"


def test_a_gutter_is_removed_and_its_numbers_kept() -> None:
    texts, numbers = without_numbers([" 9 def f():", "10     return 1", "11", "12 f()"])
    assert texts == ["def f():", "    return 1", "", "f()"]
    assert numbers == [9, 10, 11, 12]


def test_numbers_that_do_not_rise_are_text() -> None:
    texts = ["1 apple", "1 pear", "7 plums"]
    assert without_numbers(texts) == (texts, [None] * 3)
