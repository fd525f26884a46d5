"""Rounded weights in ggml's block formats, and the other way round from `kernels.reference`.

A format holds what its blocks of 32 inputs can say: one scale (and minimum) a block. Coarser scales
are repeated in every block, so that Q8_0 can hold one scale a channel or one a tensor, and Q4_0
codes of fewer than four bits.
"""

import numpy as np
from numpy.typing import NDArray

from midline.kernels.formats import GGMLType
from midline.model.weights.rounding import Floats, Rounded, Rounding

BLOCK = 32
_MOST_BITS = {GGMLType.Q8_0: 8, GGMLType.Q4_0: 4, GGMLType.Q4_1: 4}


def holds(kind: GGMLType, how: Rounding) -> bool:
    """Whether blocks of `kind` can hold weights rounded like that."""
    fits = how.granularity != "group" or how.group % BLOCK == 0
    return fits and how.bits <= _MOST_BITS.get(kind, 0) and how.symmetric != (kind is GGMLType.Q4_1)


def encode(kind: GGMLType, rounded: Rounded) -> NDArray[np.uint8]:
    """Blocks of a matrix, uint8 [outputs * row bytes]; `holds` has to be true of it."""
    outputs, inputs = rounded.codes.shape
    codes = rounded.codes.reshape(-1, BLOCK)
    repeat = inputs // BLOCK // rounded.scales.shape[1]
    scales = _halves(np.repeat(rounded.scales, repeat, axis=1))
    if kind is GGMLType.Q8_0:
        parts = [scales, codes.astype(np.int8).view(np.uint8)]
    elif kind is GGMLType.Q4_0:
        parts = [scales, _nibbles((codes + 8).astype(np.uint8))]
    else:
        minima = np.repeat(-rounded.scales * rounded.zeros, repeat, axis=1)
        parts = [scales, _halves(minima), _nibbles(codes.astype(np.uint8))]
    return np.hstack(parts).reshape(outputs * kind.row_bytes(inputs))


def encode_floats(kind: GGMLType, weights: Floats) -> NDArray[np.uint8]:
    """Weights as F32 or F16, uint8."""
    dtype = "<f4" if kind is GGMLType.F32 else "<f2"
    return np.ascontiguousarray(weights, dtype).view(np.uint8).reshape(-1)


def _halves(values: Floats) -> NDArray[np.uint8]:
    return values.reshape(-1, 1).astype("<f2").view(np.uint8)


def _nibbles(codes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Two codes a byte: those of the block's first half low, those of its second half high."""
    half = BLOCK // 2
    return codes[:, :half] | codes[:, half:] << np.uint8(4)
