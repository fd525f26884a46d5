"""Which panes are read closely."""

from dataclasses import replace

from midline.model.vision.selection import Glance, ranked, score, selected

CALM = Glance(area=100, lines=30, x_height=7, redness=0, confidence=0.95, words="def main():")
ERROR = replace(CALM, lines=8, words="Traceback (most recent call last):\nKeyError: 'price'")


def test_a_traceback_comes_before_code() -> None:
    assert [number for number, _ in ranked([CALM, ERROR])] == [1, 0]


def test_red_ink_counts() -> None:
    assert score(replace(CALM, redness=0.5)) > score(CALM)


def test_what_was_asked_about_counts() -> None:
    assert score(CALM, "what does main do") > score(CALM, "what does other do")


def test_what_is_hardly_legible_is_not_read() -> None:
    assert ranked([replace(ERROR, confidence=0.3)]) == []
    assert selected([]) == []


def test_at_most_three_and_none_far_worse_than_the_best() -> None:
    assert selected([(4, 1.0), (2, 0.9), (0, 0.3)]) == [4, 2]
    assert len(selected([(n, 1.0) for n in range(9)])) == 3
