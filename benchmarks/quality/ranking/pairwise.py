"""Pairwise logistic regression: weights that score right candidates above wrong ones."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
RIDGE = 0.3
"""Penalty on a weight per standard deviation of its feature; a question counts as one case."""
_STEPS = 50
_CONVERGED = 1e-9


def fit(questions: Sequence[Matrix], right: Sequence[NDArray[np.bool_]]) -> NDArray[np.float64]:
    """Weights, float64 [features], for `questions`: float64 [candidates, features] each.

    Every pair of a right and a wrong candidate of one question is an observation, and the pairs of
    a question weigh one together. Newton's method; features that never vary get 0.
    """
    width = questions[0].shape[1]
    spread = np.vstack(questions).std(axis=0)
    scale = np.where(spread > 0, spread, 1.0)
    gaps, shares = _pairs(questions, right)
    gaps = gaps / scale
    weights = np.zeros(width)
    for _ in range(_STEPS):
        wrong = shares / (1 + np.exp(gaps @ weights))
        slope = gaps.T @ wrong - RIDGE * weights
        bend = wrong * (1 - wrong / shares)
        step = np.linalg.solve((gaps * bend[:, None]).T @ gaps + RIDGE * np.eye(width), slope)
        weights += step
        if np.abs(step).max() < _CONVERGED:
            break
    return np.where(spread > 0, weights / scale, 0.0)


def _pairs(
    questions: Sequence[Matrix], right: Sequence[NDArray[np.bool_]]
) -> tuple[Matrix, NDArray[np.float64]]:
    """Features of the right one less those of the wrong one, [pairs, features], and weights."""
    gaps, shares = [np.empty((0, questions[0].shape[1]))], [np.empty(0)]
    for features, passed in zip(questions, right, strict=True):
        gap = features[passed][:, None] - features[~passed][None]
        gaps.append(gap.reshape(-1, features.shape[1]))
        shares.append(np.full(len(gaps[-1]), 1 / max(1, len(gaps[-1]))))
    return np.concatenate(gaps), np.concatenate(shares)
