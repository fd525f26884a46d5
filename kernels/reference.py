"""The NumPy reference of the kernels: ggml's block formats in plain float32.

Each format is defined by `dequantize_row_*` in `ggml-quants.c`. The arithmetic follows it operation
by operation in float32, so that results are equal to the bit, not merely close.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from midline.kernels.formats import SUPPORTED, GGMLType

Bytes = NDArray[np.uint8]
Floats = NDArray[np.float32]

_NIBBLES = np.array([[0], [4]], np.uint8)
_CRUMBS = np.array([[0], [2], [4], [6]], np.uint8)


def dequantize(kind: GGMLType, raw: Bytes, shape: tuple[int, ...]) -> Floats:
    """Weights of a tensor as float32 of `shape`.

    `raw` holds the tensor's blocks row by row, uint8 [any]; rows are whole blocks. Raises
    `ValueError` when the type has no kernel here or the bytes do not make up the shape.
    """
    if kind not in _DEQUANTIZERS:
        raise ValueError(f"the type {kind.name} has no dequantizer")
    weights = int(np.prod(shape, dtype=np.int64))
    if shape[-1] % kind.block_length or raw.size != kind.row_bytes(weights):
        raise ValueError(f"{raw.size} bytes of {kind.name} do not make up the shape {shape}")
    blocks = np.ascontiguousarray(raw).reshape(-1, kind.block_bytes)
    return _DEQUANTIZERS[kind](blocks).reshape(shape)


def _half(blocks: Bytes, start: int) -> Floats:
    """The float16 at byte `start` of every block, as float32 [blocks, 1]."""
    return np.ascontiguousarray(blocks[:, start : start + 2]).view("<f2").astype(np.float32)


def _nibbles(packed: Bytes) -> Bytes:
    """Low then high halves of each 16 bytes: uint8 [blocks, 16] -> [blocks, 32]."""
    codes: Bytes = (packed[:, None, :] >> _NIBBLES) & np.uint8(15)
    return codes.reshape(len(packed), 32)


def _f32(blocks: Bytes) -> Floats:
    return blocks.view("<f4").astype(np.float32)


def _f16(blocks: Bytes) -> Floats:
    return blocks.view("<f2").astype(np.float32)


def _q4_0(blocks: Bytes) -> Floats:
    """Scale f16, 16 bytes of codes: d * (code - 8)."""
    return _half(blocks, 0) * (_nibbles(blocks[:, 2:]).astype(np.float32) - np.float32(8))


def _q4_1(blocks: Bytes) -> Floats:
    """Scale f16, minimum f16, 16 bytes of codes: d * code + m."""
    codes = _nibbles(blocks[:, 4:]).astype(np.float32)
    return _half(blocks, 0) * codes + _half(blocks, 2)


def _q5_0(blocks: Bytes) -> Floats:
    """Scale f16, 32 fifth bits, 16 bytes of low bits: d * (code - 16)."""
    fifth = np.unpackbits(blocks[:, 2:6], axis=1, bitorder="little")
    codes = _nibbles(blocks[:, 6:]) | fifth << np.uint8(4)
    return _half(blocks, 0) * (codes.astype(np.float32) - np.float32(16))


def _q8_0(blocks: Bytes) -> Floats:
    """Scale f16, 32 signed codes: d * code."""
    return _half(blocks, 0) * blocks[:, 2:].view(np.int8).astype(np.float32)


def drop_small(x: Floats, threshold: Floats) -> Floats:
    """x with the entries of magnitude up to `threshold` zero: TEAL, arXiv 2408.14690, equation 2.

    float32 arrays of one shape; NaN stays.
    """
    return np.where(np.abs(x) <= threshold, np.float32(0), x)


def unpack_q4_k_scales(packed: Bytes) -> tuple[Bytes, Bytes]:
    """Six-bit scales and minima of a Q4_K block: uint8 [blocks, 12] -> two of [blocks, 8]."""
    low, middle, high = packed[:, 0:4], packed[:, 4:8], packed[:, 8:12]
    scales = np.hstack([low & 63, (high & 15) | (low >> 6) << 4])
    minima = np.hstack([middle & 63, (high >> 4) | (middle >> 6) << 4])
    return scales, minima


def _q4_k(blocks: Bytes) -> Floats:
    """Scale f16, scale of minima f16, 8 x 2 six-bit factors, 128 bytes: d*s*code - dmin*m.

    Codes of 64 weights share 32 bytes: the first 32 weights in the low nibbles.
    """
    scales, minima = unpack_q4_k_scales(blocks[:, 4:16])
    step = (_half(blocks, 0) * scales.astype(np.float32))[:, :, None]
    floor = (_half(blocks, 2) * minima.astype(np.float32))[:, :, None]
    codes = (blocks[:, 16:].reshape(-1, 4, 1, 32) >> _NIBBLES) & np.uint8(15)
    weights: Floats = step * codes.reshape(-1, 8, 32).astype(np.float32) - floor
    return weights.reshape(-1, 256)


def _q6_k(blocks: Bytes) -> Floats:
    """128 bytes of low nibbles, 64 of high bits, 16 signed scales, scale f16: d*s*(code - 32).

    128 weights share 64 low bytes and 32 high bytes: weights 0-31 and 32-63 are the low nibbles,
    64-95 and 96-127 the high ones; their two high bits are at bits 0, 2, 4 and 6.
    """
    step = _half(blocks, 208) * blocks[:, 192:208].view(np.int8).astype(np.float32)
    low = (blocks[:, :128].reshape(-1, 2, 1, 64) >> _NIBBLES) & np.uint8(15)
    high = (blocks[:, 128:192].reshape(-1, 2, 1, 32) >> _CRUMBS) & np.uint8(3)
    codes = low.reshape(-1, 256) | high.reshape(-1, 256) << np.uint8(4)
    signed = codes.astype(np.float32) - np.float32(32)
    weights: Floats = step[:, :, None] * signed.reshape(-1, 16, 16)
    return weights.reshape(-1, 256)


_DEQUANTIZERS: dict[GGMLType, Callable[[Bytes], Floats]] = {
    GGMLType.F32: _f32,
    GGMLType.F16: _f16,
    GGMLType.Q4_0: _q4_0,
    GGMLType.Q4_1: _q4_1,
    GGMLType.Q5_0: _q5_0,
    GGMLType.Q8_0: _q8_0,
    GGMLType.Q4_K: _q4_k,
    GGMLType.Q6_K: _q6_k,
}

_HALVES = {
    GGMLType.Q4_0: (0,),
    GGMLType.Q4_1: (0, 2),
    GGMLType.Q5_0: (0,),
    GGMLType.Q8_0: (0,),
    GGMLType.Q4_K: (0, 2),
    GGMLType.Q6_K: (208,),
}
"""Byte positions of the float16 factors inside a block."""

_RAW_DEVIATION = {
    GGMLType.Q4_0: 4.6,
    GGMLType.Q4_1: 4.6,
    GGMLType.Q5_0: 9.2,
    GGMLType.Q8_0: 73.9,
    GGMLType.Q4_K: 267.0,
    GGMLType.Q6_K: 1370.0,
}
"""Standard deviation of a weight whose code bytes are uniform and whose factor is one."""


def random_blocks(
    kind: GGMLType, outputs: int, inputs: int, rng: np.random.Generator, deviation: float = 0.05
) -> Bytes:
    """Valid blocks of a random matrix, uint8 [outputs * row bytes], every code pattern possible.

    Weights have about the standard deviation `deviation`; the types with a minimum are centred on
    zero as far as their form allows. Raises `ValueError` for a type without a dequantizer.
    """
    if kind not in SUPPORTED or inputs % kind.block_length:
        raise ValueError(f"no random {kind.name} matrix of {inputs} inputs")
    if kind in (GGMLType.F32, GGMLType.F16):
        weights = rng.normal(0, deviation, outputs * inputs)
        return weights.astype("<f4" if kind is GGMLType.F32 else "<f2").view(np.uint8)
    count = outputs * inputs // kind.block_length
    blocks = rng.integers(0, 256, (count, kind.block_bytes), np.uint8)
    scale = deviation / _RAW_DEVIATION[kind] * rng.uniform(0.5, 1.5, (count, 1))
    for start in _HALVES[kind]:
        factor = -7.5 * scale if (kind, start) == (GGMLType.Q4_1, 2) else scale
        if (kind, start) == (GGMLType.Q4_K, 2):
            factor = 7.5 * scale
        blocks[:, start : start + 2] = factor.astype("<f2").view(np.uint8)
    return blocks.reshape(-1)
