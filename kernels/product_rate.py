"""The share of the peak dot-product throughput that a prefill's matrix products reach."""

import time

import numpy as np

from midline.kernels import UNIT, Matrix, allocate, dot_rate
from midline.kernels.formats import GGMLType
from midline.kernels.reference import random_blocks

INPUTS, UNITS, ROWS = 512, 8, 256
"""A product that takes a fraction of a second on any CPU, with the rows of a short prompt."""
LOOKS = 100


def product_rate(seconds: float = 0.2) -> float:
    """Multiply-adds a second of one thread in a Q4_K product of many rows, the best of several.

    The time includes rounding the activations to 8 bits, as in a prefill.
    """
    rng = np.random.default_rng(0)
    matrix = Matrix(INPUTS, [int(GGMLType.Q4_K)] * UNITS)
    data = allocate(matrix.nbytes)
    outputs = UNITS * UNIT
    matrix.pack(0, 1, random_blocks(GGMLType.Q4_K, outputs, INPUTS, rng), outputs, data)
    x = rng.normal(0, 1, (ROWS, INPUTS)).astype(np.float32)
    y = np.empty((ROWS, outputs), np.float32)
    best, end = float("inf"), time.perf_counter() + seconds
    while best == float("inf") or time.perf_counter() < end:
        start = time.perf_counter()
        matrix.multiply(data, x, y)
        best = min(best, time.perf_counter() - start)
    return ROWS * INPUTS * outputs / best


def product_share() -> tuple[float, float]:
    """The rate of one thread's products relative to the peak of one thread, and that peak.

    The peak is of the mix of instructions that these kernels use, in registers. Rate and peak are
    the best of many short measurements, so that other programs on the core do not lower them.
    """
    peak = max(float(dot_rate(1, 0.001)) for _ in range(LOOKS))
    return product_rate() / peak, peak
