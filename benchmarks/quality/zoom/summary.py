"""What the study says: shares with intervals by arm, and the rule's verdict."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from midline.benchmarks.quality.zoom.arms import CROPS_ENCODED
from midline.benchmarks.quality.zoom.network import SLOTS, Encoder

ORACLE, NATIVE = "oracle k", "native tiles"
LADDERS = ("ladder pooled", "top-k contained", "top-k pointed at")
"""Ladders that can be had without knowing the answer."""
LEAST_ORACLE = 0.9
NO_VERDICT = "no verdict: the reader does not read what it is shown"
NOT_USED = "native tiles do as well: the ladder is not used"
USED = "the ladder does better than native tiles"
_DRAWS = 2000

Right: TypeAlias = NDArray[np.float64]
"""The share of codes read right, [seeds, screens]."""


def is_judged(oracle: Right) -> bool:
    """Whether other arms may be judged: the reader reads what it is shown."""
    return bool(oracle.mean() > LEAST_ORACLE)


def summary(right: dict[str, Right], selected: dict[str, float]) -> dict[str, Any]:
    """The arms in their order, and the verdict.

    selected: for arms with a selection, the share of codes that are in one of the selected crops.
    """
    rows = [
        {
            "arm": arm,
            "right": round(float(found.mean()), 4),
            "interval": interval(bootstrapped(found, 0)),
            "by_seed": [round(float(value), 4) for value in found.mean(axis=1)],
            "encoder_gflops": round(CROPS_ENCODED[arm] * Encoder.flops() / 1e9, 4),
            **({"selected_right": round(selected[arm], 4)} if arm in selected else {}),
        }
        for arm, found in right.items()
    ]
    return {"reader_tokens": SLOTS, "rows": rows, **_verdict(right)}


def _verdict(right: dict[str, Right]) -> dict[str, Any]:
    if not is_judged(right[ORACLE]):
        return {"verdict": NO_VERDICT}
    best = max(LADDERS, key=lambda arm: float(right[arm].mean()))
    draws = bootstrapped(right[best], 0) - bootstrapped(right[NATIVE], 1)
    bounds = interval(draws)
    return {
        "best_ladder": best,
        "ladder_minus_native": {
            "difference": round(float(right[best].mean() - right[NATIVE].mean()), 4),
            "interval": bounds,
        },
        "verdict": USED if bounds[0] > 0 else NOT_USED,
    }


def bootstrapped(right: Right, arm: int) -> NDArray[np.float64]:
    """Means of seeds and screens drawn anew.

    The same screens are drawn for all arms, which are paired by them; their seeds are not.
    """
    screens, seeds = np.random.default_rng(0), np.random.default_rng(1 + arm)
    trained, count = right.shape
    means = np.empty(_DRAWS)
    for n in range(_DRAWS):
        drawn = screens.integers(count, size=count)
        means[n] = right[seeds.integers(trained, size=trained)].mean(axis=0)[drawn].mean()
    return means


def interval(draws: NDArray[np.float64]) -> list[float]:
    """The interval of 95% of bootstrapped means."""
    return [round(float(bound), 4) for bound in np.quantile(draws, (0.025, 0.975))]
