"""Encoded blocks read back as the weights that their codes stand for."""

import numpy as np
import pytest

from midline.kernels.formats import GGMLType
from midline.kernels.reference import dequantize
from midline.model.weights.block_encoding import encode, encode_floats, holds
from midline.model.weights.rounding import Rounding, round_weights

CASES = [
    (GGMLType.Q8_0, Rounding(8, "group", 32, half_scales=True)),
    (GGMLType.Q8_0, Rounding(8, "channel", half_scales=True)),
    (GGMLType.Q8_0, Rounding(8, "tensor", half_scales=True)),
    (GGMLType.Q4_0, Rounding(4, "group", 32, half_scales=True)),
    (GGMLType.Q4_0, Rounding(3, "group", 32, half_scales=True)),
    (GGMLType.Q4_0, Rounding(4, "group", 64, half_scales=True)),
    (GGMLType.Q4_1, Rounding(4, "group", 32, symmetric=False, half_scales=True)),
]


@pytest.mark.parametrize(("kind", "how"), CASES)
def test_blocks_read_back(kind, how):
    w = np.random.default_rng(1).normal(0, 0.1, (6, 192)).astype(np.float32)
    rounded = round_weights(w, how)
    read = dequantize(kind, encode(kind, rounded), w.shape)
    # Q4_1 stores its minimum as a half of its own.
    np.testing.assert_allclose(read, rounded.weights, atol=2e-3 if kind is GGMLType.Q4_1 else 1e-7)
    assert np.square(read - w).sum() < np.square(w).sum() / (10 if how.bits > 3 else 5)


@pytest.mark.parametrize("kind", [GGMLType.Q8_0, GGMLType.Q4_0])
def test_blocks_are_those_of_the_gguf_package(kind):
    gguf = pytest.importorskip("gguf")
    w = np.random.default_rng(2).normal(0, 0.1, (8, 256)).astype(np.float32)
    bits = 8 if kind is GGMLType.Q8_0 else 4
    ours = dequantize(
        kind, encode(kind, round_weights(w, Rounding(bits, "group", 32, half_scales=True))), w.shape
    )
    raw = gguf.quants.quantize(w, gguf.GGMLQuantizationType(int(kind)))
    theirs = gguf.quants.dequantize(raw, gguf.GGMLQuantizationType(int(kind)))
    # Codes are computed from the stored scale here and from the unrounded one there.
    assert np.square(ours - w).sum() <= np.square(theirs - w).sum() * 1.02


def test_what_blocks_cannot_hold_is_known():
    assert not holds(GGMLType.Q4_0, Rounding(5, "group", 32))
    assert not holds(GGMLType.Q8_0, Rounding(8, "group", 16))
    assert not holds(GGMLType.Q4_0, Rounding(4, "group", 32, symmetric=False))
    assert not holds(GGMLType.Q6_K, Rounding(4, "group", 32))


def test_floats_are_kept():
    w = np.array([[0.5, -1.25]], np.float32)
    for kind in (GGMLType.F32, GGMLType.F16):
        assert (dequantize(kind, encode_floats(kind, w), w.shape) == w).all()
