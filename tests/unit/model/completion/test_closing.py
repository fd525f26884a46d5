"""What is open is closed, and only where it is known what belongs there."""

import pytest

from midline.model.completion.closing import closed_blocks, closed_line
from midline.model.completion.fim import Cursor
from midline.model.completion.place import Place


def place_at(text: str, name: str) -> Place:
    """The place of the `|` in `text`."""
    before, after = text.split("|")
    return Place.of(Cursor(before.encode(), after.encode(), before.count("\n"), name))


@pytest.mark.parametrize(
    ("name", "line", "text", "expected"),
    [
        ("a.py", "x = f(|", "g(1, 2", ["g(1, 2))"]),
        ("a.js", "f(|", "a,", ["a)"]),
        ("a.c", "return |", "x", ["x;"]),
        ("a.java", "g(|", "x", ["x)", "x);"]),
        ("a.c", "|", "MY_MACRO(x)", []),  # macros have none
        ("a.py", "x = |", "1", []),
        ("a.py", "f(|)", "g(", []),
        ("a.js", "f(|", "() => {", []),
    ],
)
def test_lines(name: str, line: str, text: str, expected: list[str]) -> None:
    assert closed_line(text, place_at(line, name)) == expected


@pytest.mark.parametrize(
    ("name", "line", "text", "first"),
    [
        ("a.js", "  |", "while (a) {\n    b();", "while (a) {\n    b();\n  }"),
        ("a.js", "function f() {|", "\n  a();", "\n  a();\n}"),
        ("a.js", "it('a', () => {|", "\n  b();", "\n  b();\n})"),
        (
            "a.c",
            "|",
            "if (a) {\n  for (;;) {\n    b();",
            "if (a) {\n  for (;;) {\n    b();\n  }\n}",
        ),
        ("a.rb", "def f|", "\n  a", "\n  a\nend"),
        ("a.sh", "|", "for a in b; do\n  c", "for a in b; do\n  c\ndone"),
        ("a.lua", "|", "if a then\n  b()", "if a then\n  b()\nend"),
    ],
)
def test_blocks(name: str, line: str, text: str, first: str) -> None:
    assert closed_blocks(text, place_at(line, name))[0] == first


@pytest.mark.parametrize("text", ["f(a, b", "x = [1,\n  2", "while (a) {", "while (a) {\n  f(b"])
def test_nothing_is_closed_falsely(text: str) -> None:
    assert closed_blocks(text, place_at("|", "a.js")) == []


def test_line_ends_are_those_of_the_file() -> None:
    found = closed_blocks("if (a) {\r\n  b();", place_at("|", "a.js"), "\r\n")
    assert found[0] == "if (a) {\r\n  b();\r\n}"
