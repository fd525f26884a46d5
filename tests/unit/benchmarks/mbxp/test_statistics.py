import math

import pytest

from midline.benchmarks.mbxp.statistics import (
    Paired,
    mcnemar,
    paired_difference,
    pass_at_k,
    wilson,
)


def test_pass_at_k_is_the_share_of_draws_with_a_right_one() -> None:
    from itertools import combinations

    outcomes = [True, True, False, False, False]
    for k in range(1, 6):
        draws = list(combinations(outcomes, k))
        expected = sum(map(any, draws)) / len(draws)
        assert pass_at_k(5, 2, k) == pytest.approx(expected)
    assert pass_at_k(4, 0, 2) == 0.0
    with pytest.raises(ValueError, match="pass@3 needs 3 samples"):
        pass_at_k(2, 1, 3)


def test_wilson_interval_of_known_proportions() -> None:
    assert wilson(50, 100) == pytest.approx((0.40383, 0.59617), abs=1e-5)
    low, high = wilson(0, 10)
    assert (low, high) == pytest.approx((0.0, 0.27753), abs=1e-5)
    assert wilson(10, 10)[1] == pytest.approx(1.0)
    assert wilson(0, 0) == (0.0, 1.0)


def test_mcnemar_is_the_exact_binomial_test() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(0, 5) == pytest.approx(2 / 32)
    tail = sum(math.comb(20, i) for i in range(4)) / 2**20
    assert mcnemar(3, 17) == mcnemar(17, 3) == pytest.approx(2 * tail)
    assert Paired(9, 0, 5, 3).p_value == mcnemar(0, 5)


def test_a_paired_interval_is_that_of_the_differences() -> None:
    found = paired_difference([(1, 0)] * 30 + [(0, 1)] * 10 + [(1, 1)] * 60)
    # Standard error by hand: differences have mean 0.2 and mean square 0.4.
    half = 1.96 * ((0.4 - 0.2**2) / 100) ** 0.5
    assert found["interval"] == pytest.approx([0.2 - half, 0.2 + half], abs=1e-4)
    assert found["p_value"] < 0.01
