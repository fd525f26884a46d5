"""Distances, frames and intervals."""

import pytest

from midline.benchmarks.quality.screenshots.measure import _times_of_selected
from midline.benchmarks.quality.screenshots.scores import (
    edits,
    error_rate,
    same_frames,
    share,
    time_ratio,
)

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


def test_the_ratio_of_times_is_of_medians() -> None:
    told = time_ratio([3.0, 6.0, 90.0], [1.0, 2.0, 3.0])
    assert told["ratio"] == 3.0 and told["screens"] == 3
    assert told["interval"][0] <= 3.0 <= told["interval"][1]


def test_times_are_those_over_the_selected_regions() -> None:
    rows = {
        ("doubled", "font", 8): [{"seconds": 0.6}, {"seconds": 0.6}],
        ("selected", "font", 8): [{"seconds": 0.2}, {"seconds": 0.2}],
    }
    assert _times_of_selected(rows)["over_selected"]["doubled"]["ratio"] == 3.0
    del rows["selected", "font", 8]
    assert _times_of_selected(rows) == {}
