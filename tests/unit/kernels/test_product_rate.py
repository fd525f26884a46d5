"""The share of the peak that products reach is counted in multiply-adds, and of the same thread."""

from itertools import cycle

import pytest

from midline.kernels import product_rate
from midline.kernels.product_rate import INPUTS, ROWS, UNITS, product_share


class Clock:
    """A clock on which every look takes half a second."""

    def __init__(self) -> None:
        self.now = 0.0

    def perf_counter(self) -> float:
        self.now += 0.5
        return self.now


def test_multiply_adds_are_divided_by_the_time_of_one_product(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(product_rate, "time", Clock())
    assert product_rate.product_rate() == ROWS * INPUTS * UNITS * 128 / 0.5


def test_the_share_is_of_the_best_peak(monkeypatch: pytest.MonkeyPatch) -> None:
    peaks = cycle([1e9, 4e9, 2e9])
    monkeypatch.setattr(product_rate, "dot_rate", lambda threads, seconds: next(peaks))
    monkeypatch.setattr(product_rate, "product_rate", lambda: 3e9)
    assert product_share() == (0.75, 4e9)
