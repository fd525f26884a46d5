"""How texts join on to what follows on the cursor's line."""

import pytest

from midline.model.completion.fim import Cursor
from midline.model.completion.place import Place
from midline.model.completion.rest_of_line import (
    before_the_rest,
    begins_like_the_rest,
    is_inside_word,
    is_word,
    joins,
    makes_known_words,
    readings,
)


def place_at(text: str) -> Place:
    """The place of the `|` in `text`."""
    before, after = text.split("|")
    return Place.of(Cursor(before.encode(), after.encode(), before.count("\n")))


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        ("f(|)", "a, b", ["a, b"]),
        ("f(|)", "a)", ["a)", "a"]),
        ("f(|, b)", "a, b)", ["a"]),
        ("return a |+ total", "* b + total", ["* b ", "* b + total"]),
        ("y = a if | else b", "x.orelse", ["x.orelse"]),
        ("y = a if | else b", "x else b", ["x", "x else b"]),
        ("re|turn x", "turn x", []),
        ("    |return x", "return x", []),
        ("f(|b)", "a ", ["a "]),
        ("f(|) {", "a) {", ["a", "a) {"]),
        ("f(g(|))", "a)", ["a)", "a"]),
        ("a |to b ", "fit to b ", ["fit ", "fit to b"]),
        ("val a: |Object", "Object = new ", ["Object = new "]),
        ("val a: |Object", "Object = new Object", ["Object = new "]),
    ],
)
def test_what_the_line_has_already_is_left_out(line: str, text: str, expected: list[str]) -> None:
    found = readings(text, place_at(line))
    assert found[: len(expected)] == expected if expected else found == []


@pytest.mark.parametrize(
    ("line", "text", "expected"),
    [
        ("x = so|ted(y)", "r", True),
        ("x = so|ted(y)", "f", False),
        ("ret|urn x", " = 1; ret", True),
        ("ret|urn x", " = 3", False),
        ("f(|b)", "a, ", True),
        ("f(|b)", "a", False),
        ("f(|)", "anything", True),
        ("x = |_count", "total = 1; y = total", False),
        ("x = |_count", "my_count = 1; y = my", True),
        ("# 平均|值", "数", True),
        ("[build|system]", "-", True),  # of two words a cut has made one
        ("ret|urn x", "-", False),
    ],
)
def test_words_that_are_joined_have_to_be_words(line: str, text: str, expected: bool) -> None:
    known = {"sorted", "return"}
    assert makes_known_words(text, place_at(line), known.__contains__) == expected


@pytest.mark.parametrize(
    ("text", "inside"), [("a|b", True), ("a |b", False), ("a|(", False), ("列|表", False)]
)
def test_inside_a_word(text: str, inside: bool) -> None:
    assert is_inside_word(place_at(text)) == inside


def test_words_are_written_with_letters_that_join() -> None:
    assert all(map(is_word, "aZ0_é"))
    assert not any(map(is_word, " .中あ한ไ"))
    assert joins("a", "b")
    assert not joins("", "b")


def test_white_space_of_the_rest_is_not_doubled() -> None:
    assert before_the_rest("a + b", 2, " + b") == "a"
    assert before_the_rest("a + b", 2, "+ b") == "a "
    assert before_the_rest("a\n  b", 4, "  b") == "a\n"


def test_a_telling_beginning_in_common() -> None:
    assert begins_like_the_rest("return 0, 0", place_at("|return 1"))
    assert not begins_like_the_rest("a = 1", place_at("|return 1"))
