"""The verdict: none without the oracle, and none for the ladder without a clear difference."""

import numpy as np
import pytest

from midline.benchmarks.quality.zoom.arms import CROPS_ENCODED
from midline.benchmarks.quality.zoom.summary import (
    NATIVE,
    NO_VERDICT,
    NOT_USED,
    ORACLE,
    USED,
    Right,
    bootstrapped,
    interval,
    is_judged,
    summary,
)


def arms(ladder: float, native: float, oracle: float = 0.97) -> dict[str, Right]:
    rng = np.random.default_rng(0)
    shares = dict.fromkeys(CROPS_ENCODED, 0.2) | {
        ORACLE: oracle,
        "top-k contained": ladder,
        NATIVE: native,
    }
    return {arm: rng.binomial(4, share, (3, 400)) / 4 for arm, share in shares.items()}


def test_an_oracle_that_is_not_read_gives_no_verdict() -> None:
    right = {ORACLE: arms(0.9, 0.5, oracle=0.85)[ORACLE]}
    assert not is_judged(right[ORACLE])
    told = summary(right, {ORACLE: 1.0})
    assert told["verdict"] == NO_VERDICT and "best_ladder" not in told


@pytest.mark.parametrize(
    ("ladder", "native", "verdict"),
    [(0.9, 0.7, USED), (0.9, 0.9, NOT_USED), (0.7, 0.9, NOT_USED)],
)
def test_the_ladder_is_used_where_it_is_clearly_better(
    ladder: float, native: float, verdict: str
) -> None:
    told = summary(arms(ladder, native), {})
    assert told["best_ladder"] == "top-k contained"
    assert told["verdict"] == verdict
    low, high = told["ladder_minus_native"]["interval"]
    assert low <= told["ladder_minus_native"]["difference"] <= high


def test_rows_tell_operations_and_how_often_the_code_is_selected() -> None:
    rows = {row["arm"]: row for row in summary(arms(0.9, 0.7), {"random k": 0.11})["rows"]}
    assert rows["random k"]["selected_right"] == 0.11
    assert "selected_right" not in rows["low"]
    per_crop = rows["low"]["encoder_gflops"]
    assert rows["native tiles"]["encoder_gflops"] == pytest.approx(17 * per_crop, rel=0.01)


def test_seeds_that_differ_widen_the_interval() -> None:
    screens = np.random.default_rng(0).binomial(4, 0.8, (3, 300)) / 4
    apart = screens.copy()
    apart[0], apart[1] = 1.0, 0.6
    widths = [np.diff(interval(bootstrapped(right, 0)))[0] for right in (screens, apart)]
    assert widths[1] > 3 * widths[0]
