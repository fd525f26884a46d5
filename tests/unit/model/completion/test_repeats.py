"""Lines that stand below already, and lines over and over."""

import pytest

from midline.model.completion.fim import Cursor
from midline.model.completion.place import Place
from midline.model.completion.repeats import (
    copies_below,
    counts_on_below,
    cycle_length,
    endless_run,
    is_following,
    is_telling,
)


def place_above(below: str) -> Place:
    """A place in an empty line above `below`."""
    return Place.of(Cursor(b"", b"\n" + below.encode(), 0))


@pytest.mark.parametrize(
    ("line", "lines", "below", "expected"),
    [
        ("    return a", [], "    return a\n", True),
        ("        return a", [], "    return a\n", False),  # of a deeper block
        ("    g()", ["    f()"], "    g()\n", True),
        ("EOF", ["x"], "EOF\n", True),
        ("-----", ["Title"], "-----\n", True),
        ("0,", ["1,"], "0,\n", False),
        ("    return total * 2", ["    y = 1"], "    x = 1\n    return total * 2\n", True),
        ("    return total * 2", [], "    x = 1\n    return total * 2\n", False),
        ("    return total * 2", ["    y"], "    x\n}\n    return total * 2\n", False),
        ("{", ["void f()"], "{\n    g();\n}\n", True),
        ("```", ["a"], "```\n", True),
        ("```", ["```js", "a"], "```\n", False),  # it ends its own text
        ("LANGUAGE sql;", ["y"], "x\nLANGUAGE sql;\n", True),
        ("LANGUAGE sql;", ["y"], "x\nLANGUAGE sql;\nz\nLANGUAGE sql;\n", False),
        ("</element>", ["y"], "<element>\n</element>\n", False),
        ("}", ["f();"], "}\n", True),
        ("}", ["if (a) {", "  f();"], "}\n", False),  # it closes the if
        ("end", ["if a", "  f"], "end\n", False),
        ("end", ["f"], "end\n", True),
    ],
)
def test_a_line_is_the_one_below_in_the_same_block(
    line: str, lines: list[str], below: str, expected: bool
) -> None:
    depth = sum(text.count("{") - text.count("}") for text in lines)
    assert is_following(line, lines, depth, place_above(below)) == expected


def test_a_line_tells_its_place_if_there_are_no_others_like_it() -> None:
    place = place_above("echo\necho\nb\n")
    assert not is_telling(["echo"], place)
    assert is_telling(["echo", "b"], place)


def test_two_rows_of_numbers_tell_that_the_table_goes_on_below() -> None:
    place = place_above("1, 2,\n3, 4,\n")
    assert counts_on_below(["1, 2,", "3, 4,"], place)
    assert not counts_on_below(["1, 2,"], place)
    assert not counts_on_below(["1, 2,", "1, 2,"], place_above("1, 2,\n1, 2,\n"))
    assert not counts_on_below(["a, 2,", "3, 4,"], place_above("a, 2,\n3, 4,\n"))


def test_a_copy_says_nothing_else() -> None:
    place = place_above("if a:\n    f()\ng()\n")
    assert copies_below(["if a:"], place)
    assert copies_below(["if a:", "    f"], place)
    assert not copies_below(["if a:", "    h()"], place)
    assert not copies_below(["if b:"], place)


def test_four_times_the_same_is_a_cycle_and_a_dozen_rows_of_a_table() -> None:
    assert cycle_length(["a"] * 3, 0) == 0
    assert cycle_length(["x", "a", "a", "a", "a"], 0) == 3
    assert cycle_length(["a", "b"] * 4, 0) == 6
    assert cycle_length(["[0],"] * 11, 1) == 0
    assert cycle_length(["[0],"] * 12, 1) == 11


def test_a_run_is_cut_behind_its_first_piece() -> None:
    assert endless_run("x = " + "ab" * 60) == len("x = ab")
    assert endless_run("x = " + "ab" * 20) is None
