"""The low-bit screen of the output matrix: sizes, and refusals."""

import numpy as np
import pytest

from midline.kernels import pack_screen, screen_bytes
from midline.kernels.formats import GGMLType
from midline.kernels.reference import dequantize, random_blocks

BLOCK_BYTES = 16 * 128 + 128 * 2
"""Of 64 inputs of a unit: 2 bits for each weight and an f16 step for each output."""


def test_sizes_count_whole_units() -> None:
    assert screen_bytes(64, 1) == screen_bytes(64, 128) == BLOCK_BYTES
    assert screen_bytes(896, 151_936) == 14 * 1187 * BLOCK_BYTES


def weights_of(screen: np.ndarray, inputs: int) -> np.ndarray:
    """float64 [units * 128, inputs]: step * (2 * code - 3), as `packing/screen.h` lays it out."""
    groups = screen.reshape(-1, inputs // 64, BLOCK_BYTES)
    codes = groups[:, :, :2048].reshape(-1, inputs // 64, 16, 2, 16, 4)
    steps = np.ascontiguousarray(groups[:, :, 2048:]).view("<f2").astype(np.float64)
    fields = np.stack([codes >> (2 * f) & 3 for f in range(4)], axis=4)  # u g quad half f lane ch
    levels = 2.0 * fields - 3
    by_output = levels.transpose(0, 3, 4, 5, 1, 2, 6).reshape(len(groups), 128, -1, 64)
    return (by_output * steps.transpose(0, 2, 1)[..., None]).reshape(-1, inputs)


@pytest.mark.parametrize("kind", [GGMLType.Q8_0, GGMLType.Q6_K, GGMLType.Q4_1])
def test_packed_weights_are_the_best_two_bits_have(kind: GGMLType) -> None:
    outputs, inputs = 200, 512
    raw = random_blocks(kind, outputs, inputs, np.random.default_rng(4))
    screen = np.full(screen_bytes(inputs, outputs), 255, np.uint8)
    pack_screen(int(kind), inputs, raw, 0, 128, screen)
    pack_screen(int(kind), inputs, raw, 128, 72, screen)
    truth = dequantize(kind, raw, (outputs, inputs)).astype(np.float64)
    found = weights_of(screen, inputs)
    error = np.linalg.norm(found[:outputs] - truth) / np.linalg.norm(truth)
    # Four levels at best leave 0.25 of uniform weights and 0.34 of normal ones.
    assert error < 0.37
    assert not found[outputs:].any()


def test_bad_calls_are_refused() -> None:
    rows, out = np.zeros(68 * 128, np.uint8), np.zeros(screen_bytes(64, 128), np.uint8)
    for kind, inputs, first, count, room in (
        (8, 32, 0, 128, out),
        (8, 0, 0, 128, out),
        (8, -64, 0, 128, out),
        (12, 64, 0, 128, out),
        (7, 64, 0, 128, out),
        (8, 64, 1, 127, out),
        (8, 64, -128, 128, out),
        (8, 64, 0, 129, out),
        (8, 64, 0, 0, out),
        (8, 64, 0, -1, out),
        (8, 64, 0, 128, out[:-1]),
    ):
        with pytest.raises(ValueError, match=r"\w"):
            pack_screen(kind, inputs, rows, first, count, room)
