"""Weights from pairs of right and wrong candidates."""

import numpy as np
import pytest

from midline.benchmarks.quality.ranking.pairwise import RIDGE, fit


def questions(count: int, seed: int = 0) -> tuple[list, list]:
    """Candidates that are right with the odds of 2 * first feature - second feature."""
    rng = np.random.default_rng(seed)
    found, right = [], []
    for _ in range(count):
        features = rng.normal(size=(8, 3)) * [1.0, 10.0, 0.0] + [0, 0, 5.0]
        odds = 2 * features[:, 0] - 0.1 * features[:, 1]
        found.append(features)
        right.append(rng.random(8) < 1 / (1 + np.exp(-odds)))
    return found, right


def test_true_weights_are_found() -> None:
    weights = fit(*questions(2000))
    assert weights[:2] == pytest.approx([2, -0.1], rel=0.1)
    assert weights[2] == 0  # it never varies


def test_the_slope_is_zero_at_the_weights() -> None:
    features, right = questions(30, seed=1)
    weights = fit(features, right)

    def loss(weights: np.ndarray) -> float:
        total = 0.0
        for x, y in zip(features, right, strict=True):
            gaps = [a - b for a in x[y] for b in x[~y]]
            if gaps:
                total += np.log1p(np.exp(-np.array(gaps) @ weights)).mean()
        spread = np.vstack(features).std(axis=0)
        return total + RIDGE / 2 * ((weights * spread) ** 2).sum()

    for direction in np.eye(3)[:2] * 1e-3:
        assert loss(weights) < min(loss(weights + direction), loss(weights - direction))


def test_questions_with_nothing_to_tell_change_nothing() -> None:
    features, right = questions(20, seed=2)
    idle = [np.zeros((8, 3)), features[0]], [np.ones(8, bool), np.zeros(8, bool)]
    only = np.vstack(features)
    assert only.shape == (160, 3)
    one = fit(features[1:], right[1:])
    other = fit([*features[1:], *idle[0][1:]], [*right[1:], *idle[1][1:]])
    assert np.allclose(one, other, rtol=0.05)
    assert fit([np.ones((4, 3))], [np.ones(4, bool)]).tolist() == [0, 0, 0]
