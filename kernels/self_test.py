"""The self-test of the kernels chosen for this CPU, in a fraction of a second."""

import numpy as np

from midline.kernels import UNIT, Matrix, allocate
from midline.kernels.formats import SUPPORTED, GGMLType
from midline.kernels.reference import dequantize, random_blocks

ROWS = 16
INPUTS = {32: 544, 256: 768, 1: 544}
"""Inputs by block length: odd numbers of blocks, and where the type allows a last short one."""

TOLERANCE = 0.03
"""Relative error of an output whose activations have been rounded to 8 bits; the worst of all is
about 0.016 on normally distributed ones, and a wrong output is off by its whole size."""


def self_test(seed: int = 0) -> dict[str, float]:
    """Relative error of the worst output, one row and many at a time, for every block type.

    Measured against float64. Keys are like `Q4_K one row`; a value above `TOLERANCE`, or NaN,
    means that the kernels are broken.
    """
    rng = np.random.default_rng(seed)
    return {
        f"{kind.name} {'one row' if one_row else 'many rows'}": _error(kind, one_row, rng)
        for kind in sorted(SUPPORTED)
        for one_row in (True, False)
    }


def failures(errors: dict[str, float]) -> dict[str, float]:
    """The entries of `self_test()` that are too large or not numbers."""
    return {name: error for name, error in errors.items() if not error <= TOLERANCE}


def _error(kind: GGMLType, one_row: bool, rng: np.random.Generator) -> float:
    inputs = INPUTS[kind.block_length]
    raw = random_blocks(kind, UNIT, inputs, rng)
    matrix = Matrix(inputs, [int(kind)])
    data = allocate(matrix.nbytes)
    matrix.pack(0, 1, raw, UNIT, data)
    x = rng.normal(0, 1, (ROWS, inputs)).astype(np.float32)
    y = np.full((ROWS, UNIT), np.nan, np.float32)
    matrix.multiply(data, x, y, one_row)
    truth = x.astype(np.float64) @ dequantize(kind, raw, (UNIT, inputs)).astype(np.float64).T
    worst = np.linalg.norm(y - truth, axis=0) / np.linalg.norm(truth, axis=0)
    return float(worst.max())
