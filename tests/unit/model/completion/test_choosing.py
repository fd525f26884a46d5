"""Which of two completions is on the screen after a pause."""

import math

import pytest

from midline.model.completion.choosing import Shown, is_sure, takes_its_place
from midline.model.completion.confidence import TokenConfidence


def shown(text: str, *probabilities: float, typed: str = "") -> Shown:
    """A text of as many tokens of equal lengths; the last one takes what is left."""
    size = len(text) // max(1, len(probabilities))
    ends = [
        len(typed) + (len(text) if last else size * (number + 1))
        for number in range(len(probabilities))
        for last in [number == len(probabilities) - 1]
    ]
    before = [TokenConfidence(len(typed), 0.0)] if typed else []
    rows = zip(ends, probabilities, strict=True)
    tokens = [TokenConfidence(end, math.log(probability)) for end, probability in rows]
    return Shown(text, len(typed), (*before, *tokens))


def test_something_takes_the_place_of_nothing() -> None:
    assert takes_its_place(shown("return", 0.5), None)
    assert not takes_its_place(shown("  ", 0.9), None)


def test_what_goes_on_from_the_text_on_the_screen_takes_its_place() -> None:
    assert takes_its_place(shown("f(a, b)", 0.5), shown("f(a", 0.99))
    assert not takes_its_place(shown("f(a  ", 0.5), shown("f(a", 0.9))
    assert not takes_its_place(shown("f(a", 0.5), shown("f(a", 0.1))


def test_less_never_takes_the_place_of_more() -> None:
    assert not takes_its_place(shown("f(a", 0.99), shown("f(a, b)", 0.2))


@pytest.mark.parametrize(("new", "old", "takes"), [(0.9, 0.5, True), (0.6, 0.5, False)])
def test_another_text_has_to_be_surer_by_the_margin(new: float, old: float, takes: bool) -> None:
    assert takes_its_place(shown("g()", new), shown("f()", old), margin=0.2) is takes


def test_the_first_differing_token_decides_and_not_what_follows_it() -> None:
    old = shown("aabbcc", 0.9, 0.4, 0.1)
    assert takes_its_place(shown("aaxxyy", 0.9, 0.8, 0.2), old, margin=0.2)
    assert not takes_its_place(shown("aaxxyy", 0.9, 0.5, 1.0), old, margin=0.2)


def test_what_was_typed_is_certain() -> None:
    old = shown("g()", 0.6, typed="x = ")
    assert not takes_its_place(shown("f()", 0.7), old, margin=0.2)
    assert takes_its_place(shown("f()", 0.81), old, margin=0.2)


def test_a_text_is_sure_if_no_other_could_take_its_place() -> None:
    sure = shown("ab", 0.95, 0.95)
    assert is_sure(sure, margin=0.2)
    assert not takes_its_place(shown("xy", 1.0), sure, margin=0.2)
    unsure = shown("ab", 0.95, 0.5)
    assert not is_sure(unsure, margin=0.2)
    assert takes_its_place(shown("ax", 0.95, 1.0), unsure, margin=0.2)
    assert is_sure(Shown("drawn among several", 0, ()))
