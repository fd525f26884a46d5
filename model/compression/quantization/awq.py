"""Activation-aware scales (AWQ, arXiv 2306.00978), folded into the weights before a product.

Inputs with large activations matter most. Input i of a product is divided by s_i and its weights
are multiplied by s_i before they are rounded, so that the rounding error of these weights is
smaller. s is the mean magnitude of the input to the power `alpha`; alpha is searched for each
product on calibration activations. The division costs nothing at run time: it goes into the norm
before the product, or into the rows of ffn_up before ffn_down. The input of attn_output is left
alone, because several of its channels come from one row of attn_v.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from midline.model.weights.rounding import Floats, Rounding, round_weights

ALPHAS = (0.0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75)
_ROWS = 512
"""Outputs of a product that the search looks at, spread over all of them."""

Load = Callable[[str], Floats]
"""The weights of a tensor, by its name."""


@dataclass(frozen=True, slots=True)
class Product:
    """Tensors of a layer that are multiplied with one input, and what makes that input."""

    tensors: tuple[str, ...]
    before: str
    input: int


PRODUCTS = (
    Product(("attn_q", "attn_k", "attn_v"), "attn_norm", 0),
    Product(("ffn_gate", "ffn_up"), "ffn_norm", 2),
    Product(("ffn_down",), "ffn_up", 3),
)


@dataclass(frozen=True, slots=True)
class Scales:
    """columns: what a tensor's inputs are multiplied with; rows: what its outputs are divided by.

    Keys are tensor names such as `blk.0.ffn_up.weight`; vectors are float32 [inputs or outputs].
    """

    columns: dict[str, Floats]
    rows: dict[str, Floats]

    def apply(self, name: str, weights: Floats) -> Floats:
        """The weights (or the norm) called `name` with everything folded in."""
        if name in self.columns:
            weights = weights * self.columns[name]
        if name in self.rows:
            divisor = self.rows[name]
            weights = weights / (divisor[:, None] if weights.ndim == 2 else divisor)
        return weights


def search_scales(
    load: Load, layers: int, inputs: Callable[[int], tuple[Floats, ...]], how: Rounding
) -> Iterator[tuple[int, Scales]]:
    """The scales of one layer after the other.

    inputs: float32 [tokens, channels] of the four inputs of a layer (qkv, out, gate_up, down).
    """
    for layer in range(layers):
        found = Scales({}, {})
        activations = inputs(layer)
        for product in PRODUCTS:
            names = [f"blk.{layer}.{tensor}.weight" for tensor in product.tensors]
            scales = best_scales([load(name) for name in names], activations[product.input], how)
            found.rows[f"blk.{layer}.{product.before}.weight"] = scales
            for name in names:
                found.columns[name] = scales
        yield layer, found


def best_scales(weights: list[Floats], x: Floats, how: Rounding) -> Floats:
    """Scales of the inputs, float32 [inputs], with the smallest error of the products with `x`."""
    samples = [w[:: max(1, len(w) // _ROWS)] for w in weights]
    size = np.abs(x).mean(axis=0) + 1e-8
    found = [(_error(samples, x, scales, how), i, scales) for i, scales in _candidates(size)]
    return min(found, key=lambda each: each[:2])[2]


def _candidates(size: Floats) -> Iterator[tuple[int, Floats]]:
    for i, alpha in enumerate(ALPHAS):
        scales = size**alpha
        scales = scales / np.sqrt(scales.max() * scales.min())
        yield i, np.clip(scales, 1e-3, 1e3).astype(np.float32)


def _error(weights: list[Floats], x: Floats, scales: Floats, how: Rounding) -> float:
    total = 0.0
    for w in weights:
        rounded: NDArray[np.float32] = round_weights(w * scales, how).weights / scales
        total += float(np.square(x @ (rounded - w).T).sum())
    return total
