"""Distances, frames and intervals."""

import pytest

from midline.benchmarks.quality.screenshots.scores import edits, error_rate, same_frames, share

TRACEBACK = 'Traceback (most recent call last):\n  File "a.py", line 3, in f\n    g()\nKeyError: 1'


@pytest.mark.parametrize(
    ("one", "other", "distance"),
    [("", "", 0), ("abc", "", 3), ("kitten", "sitting", 3), ("  x", "x", 2), ("a\nb", "ab", 1)],
)
def test_edits_count_spaces_and_line_ends(one: str, other: str, distance: int) -> None:
    assert edits(one, other) == edits(other, one) == distance


def test_frames_are_the_same_only_if_all_of_it_is() -> None:
    assert same_frames(TRACEBACK, TRACEBACK.replace("    g()", "    q()"), 0)
    assert not same_frames(TRACEBACK, TRACEBACK.replace("line 3", "line 8"), 0)
    assert not same_frames(TRACEBACK, TRACEBACK.replace("KeyError", "KevError"), 0)
    assert not same_frames(TRACEBACK, "", 0)


def test_rates_are_of_characters_and_have_an_interval() -> None:
    found = error_rate([(1, 100), (0, 300), (3, 100)])
    assert found["rate"] == 0.008
    assert found["interval"][0] <= 0.008 <= found["interval"][1]
    assert share([True, True, False, True])["share"] == 0.75
