"""Where a completion is inserted: at the cursor, or in a line of its own above it."""

from midline.model.completion.fim import Cursor
from midline.model.completion.insertion_point import InsertionPoint
from midline.model.completion.place import Unit


def test_at_the_cursor() -> None:
    point = InsertionPoint.of(Cursor(b"def f():\n    x = ", b"\n", 1, "a.py"))
    assert (point.place.fragment, point.place.rest, point.tail) == ("    x = ", "", "")
    assert point.fits("1")
    assert not point.fits("(")
    assert point.is_known("def")
    assert not point.is_known("definitely")


def test_above_the_cursors_line_the_line_follows() -> None:
    cursor = Cursor(b"def f():\r\n    ret", b"urn x\r\n", 1, "a.py")
    point = InsertionPoint.of(cursor, above=True)
    assert (point.place.rest, point.place.following) == ("", "    return x")
    assert point.place.unit is Unit.STATEMENT
    assert point.tail == "\r\n    ret"
    assert point.fits("ry()")
    assert not point.fits("ry(")


def test_without_a_grammar_everything_fits() -> None:
    point = InsertionPoint.of(Cursor(b"x = \xff", b"\n", 0, "a.unknown"), above=True)
    assert point.validity is None
    assert point.stop_test is None
    assert point.fits("(")
