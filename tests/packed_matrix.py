"""Packed matrices of random blocks, and what their product with 8-bit activations has to be."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from midline.kernels import UNIT, Matrix, allocate
from midline.kernels.formats import GGMLType
from midline.kernels.reference import dequantize, random_blocks


@dataclass(frozen=True)
class Packed:
    """A packed matrix beside its weights as float32 [outputs, inputs], padded to whole units."""

    matrix: Matrix
    data: np.ndarray
    weights: np.ndarray

    def multiply(self, x: np.ndarray, *, one_row: bool = False) -> np.ndarray:
        """y [rows, outputs] of x [rows, inputs]; what is not written stays NaN."""
        y = np.full((len(x), self.matrix.outputs), np.nan, np.float32)
        self.matrix.multiply(self.data, x, y, one_row)
        return y


def packed(
    kinds: GGMLType | Sequence[GGMLType],
    outputs: int,
    inputs: int,
    seed: int = 0,
    run_bytes: int = 2304,
    min_items: int = 8,
) -> Packed:
    """`outputs` rows of each of `kinds`, one after the other, each starting at a unit."""
    rng = np.random.default_rng(seed)
    kinds = [kinds] if isinstance(kinds, GGMLType) else kinds
    units = -(-outputs // UNIT)
    types = [int(kind) for kind in kinds for _ in range(units)]
    matrix = Matrix(inputs, types, run_bytes, min_items)
    data = allocate(matrix.nbytes)
    data[:] = 255  # what packing leaves out shows
    weights = np.zeros((len(types) * UNIT, inputs), np.float32)
    for i, kind in enumerate(kinds):
        raw = random_blocks(kind, outputs, inputs, rng)
        matrix.pack(i * units, 1, raw, outputs, data)
        first = i * units * UNIT
        weights[first : first + outputs] = dequantize(kind, raw, (outputs, inputs))
    return Packed(matrix, data, weights)


def activation_block(kind: GGMLType, company: Iterable[GGMLType] = ()) -> int:
    """Channels that share one scale when activations meet weights of this type; 0: not rounded.

    Beside K-quants in one matrix all take the activations that those ask for.
    """
    if kind.block_length == 1:
        return 0
    return max(other.block_length for other in (kind, *company))


def rounded(x: np.ndarray, block: int) -> tuple[np.ndarray, np.ndarray]:
    """What the kernels make of x [rows, inputs]: its values in 8 bits, and the step of each value.

    One float32 scale for `block` channels, amax / 127; halves go to the even code.
    """
    if not block:
        return x.astype(np.float64), np.zeros(x.shape)
    rows, inputs = x.shape
    padded = np.zeros((rows, -(-inputs // block) * block), np.float32)
    padded[:, :inputs] = x
    blocks = padded.reshape(rows, -1, block)
    peak = np.abs(blocks).max(axis=2, keepdims=True)
    inverse = np.divide(np.float32(127), peak, out=np.zeros_like(peak), where=peak > 0)
    codes = np.rint(blocks * inverse)
    step = np.broadcast_to((peak / np.float32(127)).astype(np.float64), blocks.shape)
    values = (codes * step).reshape(rows, -1)[:, :inputs]
    return values, step.reshape(rows, -1)[:, :inputs]
