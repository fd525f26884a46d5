"""How far a figure may fall: by pairs, intervals, counts and shares."""

import statistics

import numpy as np
import pytest

from midline.benchmarks.figures.noise import median_error, parse_noise
from midline.benchmarks.mbxp.statistics import wilson


def test_the_error_of_a_median_is_that_of_normal_draws() -> None:
    rng = np.random.default_rng(0)
    draws = [sorted(rng.normal(3, 0.2, 15).tolist()) for _ in range(2000)]
    spread = statistics.pstdev(statistics.median(draw) for draw in draws)
    assert statistics.fmean(map(median_error, draws)) == pytest.approx(spread, rel=0.1)


@pytest.mark.parametrize(
    ("pairs", "noise"),
    [([2.0, 2.0, 2.0], 0.2), ([1.0, 2.0, 3.0], 2 * 1.2533 * 1.4826 / 3**0.5)],
)
def test_pairs_give_two_errors_of_their_median_and_at_least_a_session(pairs, noise) -> None:
    found = parse_noise("pairs").size(2.0, {"pair_ratios": pairs}, "ratio")
    assert found == pytest.approx(noise)


@pytest.mark.parametrize(
    ("path", "size"), [("a.difference", 0.25), ("a.upper_bound", 0.25), ("a.exact", 0.1)]
)
def test_intervals_give_half_of_their_width(path: str, size: float) -> None:
    result = {"a": {"interval": [-0.1, 0.4], "exact_interval": [0.7, 0.9]}}
    assert parse_noise("interval").size(0.8, result, path) == pytest.approx(size)


def test_counts_give_the_lower_end_of_their_interval() -> None:
    assert 0.9 - parse_noise("binomial 100").size(0.9, {}, "") == pytest.approx(wilson(90, 100)[0])


@pytest.mark.parametrize(
    ("noise", "value", "direction", "floor"),
    [
        ("exact", 0.0, "<=", "<= 0"),
        ("5%", 142.22656, "<=", "<= 149.4"),
        ("5%", 142.22656, ">=", ">= 135.1"),
        ("absolute 0.002", -0.0005, "<=", "<= 0.0015"),
        ("absolute 0.002", -0.0005, ">=", ">= -0.0025"),
    ],
)
def test_floors_are_rounded_away_from_the_value(noise, value, direction, floor) -> None:
    assert parse_noise(noise).floor(value, {}, "", direction) == floor


@pytest.mark.parametrize("text", ["", "loud", "binomial 0", "binomial", "-5%", "0%", "absolute -1"])
def test_another_noise_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no noise|invalid literal|could not convert"):
        parse_noise(text)
