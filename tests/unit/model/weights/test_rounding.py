"""Rounding to a few bits: how far a weight may move, and what shares a scale."""

import numpy as np
import pytest

from midline.model.weights.rounding import Rounding, round_weights


def weights(seed: int = 0) -> np.ndarray:
    found = np.random.default_rng(seed).normal(0, 0.05, (12, 128)).astype(np.float32)
    found[3] *= 20
    return found


@pytest.mark.parametrize("bits", [2, 3, 4, 8])
@pytest.mark.parametrize("granularity", ["tensor", "channel", "group"])
@pytest.mark.parametrize("symmetric", [True, False])
def test_a_weight_moves_by_half_a_step_at_most(bits, granularity, symmetric):
    w = weights()
    found = round_weights(w, Rounding(bits, granularity, 32, symmetric))
    steps = np.repeat(np.abs(found.scales), 128 // found.scales.shape[1], axis=1)
    moved = np.abs(found.weights - w)
    # Below 8 bits the sign opposite to the largest weight's has one code less: a whole step.
    limit = 1.0 if symmetric and bits < 8 else 0.5 if symmetric else 1.0
    assert (moved <= limit * steps * 1.001 + 1e-7).all()
    inner = np.abs(found.codes) < 2 ** (bits - 1) - 1 if symmetric else found.codes < 2**bits - 1
    if symmetric:
        assert (moved <= 0.5 * steps * 1.001 + 1e-7)[inner].all()


def test_scales_are_shared_as_said():
    w = weights()
    shapes = {"tensor": (12, 1), "channel": (12, 1), "group": (12, 4)}
    for granularity, shape in shapes.items():
        found = round_weights(w, Rounding(8, granularity, 32))
        assert found.scales.shape == shape
    assert len(np.unique(round_weights(w, Rounding(8, "tensor")).scales)) == 1
    assert len(np.unique(round_weights(w, Rounding(8, "channel")).scales)) == 12


def test_finer_scales_move_weights_less():
    w = weights()

    def error(granularity):
        return np.square(round_weights(w, Rounding(4, granularity)).weights - w).sum()

    assert error("group") < error("channel") < error("tensor")


def test_zeros_stay_zeros():
    for symmetric in (True, False):
        found = round_weights(np.zeros((2, 64), np.float32), Rounding(4, "group", 32, symmetric))
        assert not found.weights.any()
