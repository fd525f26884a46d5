"""Rounding of weights to a few bits: the arithmetic that all quantization recipes share.

A weight w becomes `scale * (code - zero)`. Weights that share a scale are a group of neighbouring
inputs of one output, a whole output (channel), or the whole matrix (tensor). Symmetric rounding has
no zero; below 8 bits its scale comes from the weight of largest magnitude with its sign, as in
ggml's Q4_0, so that this weight gets the one code that has no opposite.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Granularity = Literal["tensor", "channel", "group"]
GRANULARITIES: tuple[Granularity, ...] = ("tensor", "channel", "group")


@dataclass(frozen=True, slots=True)
class Rounding:
    """How weights are rounded.

    bits: 2 to 8. granularity: which weights share a scale; group: how many inputs, for "group".
    half_scales: scales (and minima) are rounded to float16 first, as block formats store them.
    """

    bits: int
    granularity: Granularity
    group: int = 32
    symmetric: bool = True
    half_scales: bool = False

    def group_of(self, inputs: int) -> int:
        """Inputs that share a scale in a row of `inputs`."""
        return self.group if self.granularity == "group" else inputs


@dataclass(frozen=True, slots=True)
class Rounded:
    """codes: int16 [outputs, inputs], signed if symmetric. scales: float32 [outputs, groups].

    zeros: int16 [outputs, groups], all 0 if symmetric.
    """

    codes: NDArray[np.int16]
    scales: Floats
    zeros: NDArray[np.int16]

    @property
    def weights(self) -> Floats:
        """The weights that the codes stand for, float32 [outputs, inputs]."""
        outputs, inputs = self.codes.shape
        groups = self.scales.shape[1]
        codes = self.codes.reshape(outputs, groups, inputs // groups) - self.zeros[:, :, None]
        return (codes * self.scales[:, :, None]).astype(np.float32).reshape(outputs, inputs)


def round_weights(weights: Floats, how: Rounding) -> Rounded:
    """`weights`, float32 [outputs, inputs], rounded; inputs are a multiple of the group."""
    outputs, inputs = weights.shape
    groups = weights.reshape(outputs, -1, how.group_of(inputs))
    scales, zeros = (_symmetric if how.symmetric else _asymmetric)(groups, how)
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(scales[:, :, None] != 0, groups / scales[:, :, None], 0)
    low, high = _range(how)
    codes = np.clip(np.rint(steps) + zeros[:, :, None], low, high).astype(np.int16)
    return Rounded(codes.reshape(outputs, inputs), scales, zeros.astype(np.int16))


def _range(how: Rounding) -> tuple[int, int]:
    """Lowest and highest code."""
    if not how.symmetric:
        return 0, 2**how.bits - 1
    most = 2 ** (how.bits - 1)
    return (-most if how.bits < 8 else 1 - most), most - 1


def _symmetric(groups: Floats, how: Rounding) -> tuple[Floats, NDArray[np.float32]]:
    high, low = groups.max(axis=2), groups.min(axis=2)
    if how.granularity == "tensor":
        high, low = np.full_like(high, high.max()), np.full_like(low, low.min())
    most = 2 ** (how.bits - 1)
    if how.bits == 8:
        scales = np.maximum(high, -low) / np.float32(most - 1)
    else:
        scales = np.where(-low >= high, low, high) / np.float32(-most)
    return _stored(scales, how), np.zeros_like(scales)


def _asymmetric(groups: Floats, how: Rounding) -> tuple[Floats, NDArray[np.float32]]:
    high, low = np.maximum(groups.max(axis=2), 0), np.minimum(groups.min(axis=2), 0)
    if how.granularity == "tensor":
        high, low = np.full_like(high, high.max()), np.full_like(low, low.min())
    most = 2**how.bits - 1
    scales = _stored((high - low) / np.float32(most), how)
    with np.errstate(divide="ignore", invalid="ignore"):
        zeros = np.where(scales > 0, np.rint(-low / scales), 0)
    return scales, np.clip(zeros, 0, most).astype(np.float32)


def _stored(scales: Floats, how: Rounding) -> Floats:
    return scales.astype(np.float16).astype(np.float32) if how.half_scales else scales
