"""What of a completion is shown unasked, by the probabilities of its tokens."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midline.model.completion.confidence import (
    FIRST,
    KEEP,
    TokenConfidence,
    confident_end,
    is_hopeless,
)


def tokens(*parts: tuple[str, float]) -> tuple[str, list[TokenConfidence]]:
    text, found = "", []
    for piece, probability in parts:
        text += piece
        found.append(TokenConfidence(len(text), math.log(probability)))
    return text, found


def shown(*parts: tuple[str, float], begin: int = 0) -> str:
    text, found = tokens(*parts)
    return text[begin : confident_end(text, found, begin)]


def test_what_is_likely_is_shown_whole() -> None:
    assert shown(("return", 0.9), (" a", 0.8), (" + b", 0.9)) == "return a + b"


def test_a_guess_is_not_shown_at_all() -> None:
    assert shown(("logger", 0.3), (".info", 0.9)) == ""


def test_it_ends_where_confidence_falls() -> None:
    parts = (("if", 0.9), (" name", 0.9), (" in", 0.9), (" known", 0.1), (":", 0.9))
    assert shown(*parts) == "if name in"
    assert shown(("set", 0.9), ("Level", 0.1), ("()", 1.0)) == "set"


def test_later_lines_may_be_a_little_less_likely() -> None:
    assert shown(("f(a)", 0.5), ("\n", 0.9), ("g(b)", 0.25)) == "f(a)\ng(b)"
    assert shown(("f(a)", 0.5), (" + ", 0.9), ("g(b)", 0.25)) == "f(a) + "


def test_what_was_typed_is_certain() -> None:
    parts = (("logger", 0.1), (".info", 0.9), ("(text)", 0.8))
    assert shown(*parts) == ""
    assert shown(*parts, begin=6) == ".info(text)"
    assert shown(*parts, begin=5) == "r.info(text)"


def test_text_behind_the_tokens_is_not_shown() -> None:
    text, found = tokens(("a", 0.9), (" + b", 0.9))
    assert confident_end(text + " + c", found) == len(text)


@given(
    st.lists(st.tuples(st.text(min_size=1, max_size=6), st.floats(0.01, 1.0)), max_size=12),
    st.integers(0, 30),
)
def test_an_end_is_within_the_text_and_never_unlikely(
    parts: list[tuple[str, float]], begin: int
) -> None:
    text, found = tokens(*parts)
    begin = min(begin, len(text))
    end = confident_end(text, found, begin)
    assert begin <= end <= len(text)
    if end > begin:
        behind = [token for token in found if token.end > begin]
        whole = [token for token in behind if token.end <= end]
        assert math.exp(sum(token.logprob for token in whole)) >= KEEP * FIRST * 0.1


@pytest.mark.parametrize(("probability", "hopeless"), [(0.5, False), (0.05, True)])
def test_where_nothing_more_can_be_shown(probability: float, hopeless: bool) -> None:
    _, found = tokens(("a", probability), ("b", 1.0))
    assert is_hopeless(found, 0) is hopeless
    assert not is_hopeless(found, 1)
