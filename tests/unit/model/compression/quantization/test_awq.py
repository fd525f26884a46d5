"""Activation-aware scales: what they change, and what they must not."""

import numpy as np

from midline.model.compression.quantization.awq import PRODUCTS, Scales, best_scales, search_scales
from midline.model.weights.rounding import Rounding, round_weights

HOW = Rounding(4, "group", 32)


def test_scales_spare_the_inputs_that_matter():
    rng = np.random.default_rng(0)
    w = rng.normal(0, 0.1, (64, 64)).astype(np.float32)
    x = rng.normal(0, 1, (200, 64)).astype(np.float32)
    x[:, ::16] *= 30
    scales = best_scales([w], x, HOW)

    def error(s):
        return np.square(x @ (round_weights(w * s, HOW).weights / s - w).T).sum()

    assert error(scales) < 0.8 * error(np.ones(64, np.float32))
    assert scales[::16].min() > np.delete(scales, np.s_[::16]).max()


def test_products_are_unchanged_before_rounding():
    rng = np.random.default_rng(1)
    load = {
        f"blk.0.{name}.weight": rng.normal(0, 0.1, shape).astype(np.float32)
        for name, shape in {
            "attn_q": (64, 64), "attn_k": (32, 64), "attn_v": (32, 64), "ffn_gate": (96, 64),
            "ffn_up": (96, 64), "ffn_down": (64, 96),
        }.items()
    }  # fmt: skip
    inputs = tuple(rng.normal(0, 1, (50, n)).astype(np.float32) * 3 for n in (64, 64, 64, 96))
    ((layer, scales),) = search_scales(load.__getitem__, 1, lambda _: inputs, HOW)
    assert layer == 0 and len(scales.rows) == len(PRODUCTS)
    norm, gate, up, down = np.ones(64, np.float32), "ffn_gate", "ffn_up", "ffn_down"
    x = inputs[2]

    def mlp(s: Scales) -> np.ndarray:
        h = x * s.apply("blk.0.ffn_norm.weight", norm)
        left, right, out = (
            s.apply(f"blk.0.{n}.weight", load[f"blk.0.{n}.weight"]) for n in (gate, up, down)
        )
        return (np.maximum(h @ left.T, 0) * (h @ right.T)) @ out.T

    np.testing.assert_allclose(mlp(scales), mlp(Scales({}, {})), rtol=2e-3, atol=2e-3)
