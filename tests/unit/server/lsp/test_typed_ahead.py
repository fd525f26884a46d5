"""Typing along with what was shown."""

import pytest

from midline.model.completion.ranking import Suggestion
from midline.server.documents import Document
from midline.server.lsp.typed_ahead import Shown

TEXT = "x = \nend\n"


def shown(*texts: str) -> Shown:
    made = tuple(Suggestion(text, -1.0, -1.0, 3, "stop") for text in texts)
    return Shown(Document("a", TEXT), 4, made)


def left(answer: Shown, text: str, offset: int) -> list[str]:
    return [s.text for s in answer.continued(Document("a", text), offset)]


@pytest.mark.parametrize("typed", ["", "1", "1 + ", "1 + a(\n"])
def test_what_is_typed_along_is_continued(typed: str) -> None:
    text = TEXT[:4] + typed + TEXT[4:]
    assert left(shown("1 + a(\n    b)"), text, 4 + len(typed)) == ["1 + a(\n    b)"[len(typed) :]]


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("x = 2\nend\n", 5),  # something else
        ("x = 1\nend\n", 4),  # the cursor is elsewhere
        ("x = 1\nEnd\n", 5),  # an edit behind it
        ("y = 1\nend\n", 5),  # an edit before it
        ("x = 1)\nend\n", 5),  # an editor has closed the bracket
        ("x =\nend\n", 3),  # something is deleted
        ("x = 1 + a\nend\n", 9),  # typed whole
    ],
)
def test_anything_else_is_asked_for(text: str, offset: int) -> None:
    assert left(shown("1 + a"), text, offset) == []


def test_deleting_what_was_typed_brings_it_back() -> None:
    answer = shown("1 + a")
    assert left(answer, "x = 1 +\nend\n", 7) == [" a"]
    assert left(answer, TEXT, 4) == ["1 + a"]


def test_alternatives_that_agree_are_kept() -> None:
    answer = shown("12", "2", "13", "1")
    assert left(answer, "x = 1\nend\n", 5) == ["2", "3"]
    assert left(answer, TEXT, 4) == ["12", "2", "13", "1"]
    assert left(shown(), TEXT, 4) == []


def test_characters_outside_the_basic_plane_and_bytes_that_are_not_utf8() -> None:
    text = "s = '😀\udce9'\n"
    answer = Shown(Document("a", text), 7, (Suggestion("😀é", 0, 0, 1, "stop"),))
    assert [s.text for s in answer.continued(Document("a", text[:7] + "😀" + text[7:]), 8)] == ["é"]


def test_a_line_of_two_megabytes() -> None:
    text = "a" * 2_000_000
    half = len(text) // 2
    answer = Shown(Document("a", text), half, (Suggestion("bc", 0, 0, 1, "stop"),))
    after = text[:half] + "b" + text[half:]
    assert [s.text for s in answer.continued(Document("a", after), half + 1)] == ["c"]
