"""What around a cursor decides how much a completion writes."""

import pytest

from midline.model.completion.fim import Cursor
from midline.model.completion.place import Extent, Place, Unit
from midline.model.completion.syntax import SyntaxAround


def place_at(text: str) -> Place:
    """The place of the `|` in `text`."""
    before, after = text.split("|")
    return Place.of(Cursor(before.encode(), after.encode(), before.count("\n")))


@pytest.mark.parametrize(
    ("text", "extent"),
    [
        ("x = |", Extent.STATEMENT),
        ("x = |\ny\n", Extent.STATEMENT),
        ("x = |  \n", Extent.STATEMENT),
        ("    |\n", Extent.BLOCK),
        ("|", Extent.BLOCK),
        ("f(|)", Extent.BRACKETS),
        ("f(|, 2)", Extent.LINE),
        ("function f() {|}", Extent.BRACKETS),
        ("#ifdef X|\n  y();\n#endif", Extent.STATEMENT),
        ("    |return x\n", Extent.LINE),
        ("x = |\r\ny", Extent.STATEMENT),
        ("if x|\n\n    y()\n", Extent.LINE),
    ],
)
def test_extent(text: str, extent: Extent) -> None:
    assert place_at(text).extent is extent


def test_the_place_looks_at_the_next_line_that_is_not_blank() -> None:
    place = Place.of(Cursor(b"a\n  x\xff", b" = y\r\n\r\n \n  end\r\n", 1))
    assert (place.fragment, place.rest, place.following) == ("  x\ufffd", " = y", "  end")
    assert Place.of(Cursor(b"", b"", 0)).following == ""


UNITS = {
    "a comment ends with its line": ("a.py", "x = 1  # why|\n", Extent.LINE),
    "so does one at the end of the file": ("a.rs", "fn f() {}\n// why|", Extent.LINE),
    "behind a comment that is closed there may be more": (
        "a.c",
        "/* why */ int|\n",
        Extent.STATEMENT,
    ),
    "a line of a text in quotes": ("a.py", 'x = """a\nb|\nc"""\n', Extent.LINE),
    "code in a text is code": ("a.js", "x = `${a|\n}`;\n", Extent.STATEMENT),
    "an element of brackets closed below": ("a.py", "f(a, b|\n)\n", Extent.LINE),
    "brackets that are just opened go on below": ("a.py", "f(|\n)\n", Extent.STATEMENT),
    "a block is more than a line": ("a.js", "f(() => { x|\n});\n", Extent.STATEMENT),
}


@pytest.mark.parametrize(("name", "text", "extent"), UNITS.values(), ids=UNITS)
def test_the_syntax_tells_how_much_to_write(name: str, text: str, extent: Extent) -> None:
    before, after = text.split("|")
    cursor = Cursor(before.encode(), after.encode(), before.count("\n"), name)
    assert Place.of(cursor, SyntaxAround.of(cursor)).extent is extent


@pytest.mark.parametrize("name", ["a.py", "a.unknown"])
@pytest.mark.parametrize(
    ("above", "unit"),
    [("@cache\n", Unit.DEFINITION), ("# of all\n", Unit.PARAGRAPH), ("x = 1\n", Unit.USUAL)],
)
def test_the_line_above_tells_what_is_next(name: str, above: str, unit: Unit) -> None:
    cursor = Cursor(above.encode(), b"\n", 1, name)
    assert Place.of(cursor, SyntaxAround.of(cursor)).unit is unit


FLOORS = {
    "a function": ("def f():\n    if a:\n        |", 1),
    "a method, not its class": ("class A:\n    def f(self):\n        if a:\n            |", 5),
    "the outermost of nested functions": ("def f():\n    def g():\n        |", 1),
    "a header with its brace below": ("int f(int a)\n{\n    if (a) {\n        |", 1),
    "a callback": ("it('adds', () => {\n  if (a) {\n    |", 1),
    "no function": ("if a:\n    |", None),
    "a line that was begun": ("def f():\n    x|", None),
}


@pytest.mark.parametrize(("text", "floor"), FLOORS.values(), ids=FLOORS)
def test_a_completion_does_not_leave_the_function(text: str, floor: int | None) -> None:
    assert place_at(text).floor == floor


def test_of_a_very_long_line_only_what_is_near_counts() -> None:
    place = Place.of(Cursor(b"(" * 100_000, b")" * 100_000, 0))
    assert len(place.fragment) == len(place.rest) < 5000


def test_three_quotes_end_a_text_that_was_begun_above() -> None:
    begun, other = (
        Place.of(Cursor(before, b"\n", before.count(b"\n"), "a.py"))
        for before in (b'"""A\n', b'"""A"""\n')
    )
    assert not begun.opens_text('"""\n\nimport a')
    assert other.opens_text('b = """\nc')
