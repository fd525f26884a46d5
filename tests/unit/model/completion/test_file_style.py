"""Line ends and indentation near a cursor, and texts made to agree with them."""

import pytest

from midline.model.completion.file_style import FileStyle
from midline.model.completion.fim import Cursor


def style_at(marked: str) -> FileStyle:
    before, after = marked.split("|")
    return FileStyle.of(Cursor(before.encode(), after.encode(), before.count("\n")))


@pytest.mark.parametrize(
    ("text", "line_end"),
    [
        ("x|", "\n"),
        ("a\r\nb|\r\n", "\r\n"),
        ("a\nb|\n", "\n"),
        ("a\r\nb\nc|\r\n", "\n"),  # mixed: the line above decides
        ("a\nb\r\nc|\n", "\r\n"),
        ("a|\r\nb", "\r\n"),
        ("a\rb|\rc", "\r"),
    ],
)
def test_line_ends_are_those_of_the_line_above(text: str, line_end: str) -> None:
    assert style_at(text).line_end == line_end


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("x|", ""),
        ("if a:\n    b\n|", "    "),
        ("if (a) {\n  b;\n    c;\n|", "  "),
        ("if (a) {\n\tb;\n\t\tc;\n|", "\t"),
        ("/*\n * a\n */\nif (a) {\n\tb;\n\t\tc;\n\t\td;\n|", "\t"),
        ("if a:\n    b\n\tc\n|", ""),  # as many of one kind as of the other
        ("        a\n        b\n            c\n|", "    "),
    ],
)
def test_the_unit_of_indentation(text: str, unit: str) -> None:
    assert style_at(text).unit == unit


def test_spaces_become_tabs_in_a_file_of_tabs() -> None:
    style = style_at("f() {\n\ta;\n\t|\n}\n")
    assert style.apply("if (b) {\n        c;\n    }", "\t") == "if (b) {\n\t\tc;\n\t}"
    assert style.apply("    b;\n    c;", "") == "\tb;\n\tc;"


def test_tabs_become_spaces_in_a_file_of_spaces() -> None:
    style = style_at("f() {\n  a;\n  |\n}\n")
    assert style.apply("if (b) {\n\t\tc;\n\t}", "  ") == "if (b) {\n    c;\n  }"


def test_what_fits_is_left_as_it_is() -> None:
    style = style_at("if a:\r\n    b\r\n    |\r\n")
    assert style.apply("c  # x\n        d\n\n    e", "    ") == "c  # x\r\n        d\r\n\r\n    e"
    assert FileStyle().apply("a\n\t  b") == "a\n\t  b"


def test_bytes_that_are_not_utf8_do_not_matter() -> None:
    cursor = Cursor(b"\xff\xfe\r\n\tx\xe9\r\n", b"\r\n\ty\xff", 2)
    assert FileStyle.of(cursor) == FileStyle("\r\n", "\t")
