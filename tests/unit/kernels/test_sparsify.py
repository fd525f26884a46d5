"""Activation sparsity in the kernels: what survives, and what is refused."""

import numpy as np
import pytest

from midline.kernels import DecoderConfig, Thresholds, add_column_squares, sparsify
from midline.kernels.formats import GGMLType
from midline.kernels.reference import dequantize, drop_small, random_blocks


@pytest.mark.parametrize("block", [32, 256])
@pytest.mark.parametrize("channels", [32, 288, 896])
def test_survivors_are_what_rounds_to_a_code(channels: int, block: int) -> None:
    rng = np.random.default_rng(channels)
    x = rng.normal(0, 1, channels).astype(np.float32)
    threshold = rng.uniform(0, 1.2, channels).astype(np.float32)
    y, lists = sparsify(x, threshold, block)
    truth = drop_small(x, threshold)
    np.testing.assert_array_equal(y, truth)
    assert len(lists) == channels // 32
    for group, found in enumerate(lists):
        assert len(found) % 4 == 0
        start = group * 32
        peak = np.abs(truth[start // block * block :][:block]).max()
        codes = np.rint(truth[start : start + 32] * (np.float32(127) / peak if peak else 0))
        expected = {start % 256 + int(c) for c in np.flatnonzero(codes)}
        assert set(found) == expected


def test_halves_end_at_quads() -> None:
    x, threshold = np.zeros(32, np.float32), np.zeros(32, np.float32)
    x[[3, 20]] = 1
    assert sparsify(x, threshold, 32, False)[1] == [[3, 20, 20, 20]]
    assert sparsify(x, threshold, 32, True)[1] == [[3, 3, 3, 3, 20, 20, 20, 20]]


def test_nothing_survives() -> None:
    y, lists = sparsify(np.ones(64, np.float32), np.ones(64, np.float32), 32)
    assert not np.any(y) and lists == [[], []]


@pytest.mark.parametrize("kind", [GGMLType.Q4_K, GGMLType.Q5_0, GGMLType.Q6_K, GGMLType.F16])
def test_column_squares(kind: GGMLType) -> None:
    outputs, inputs = 37, 512
    raw = random_blocks(kind, outputs, inputs, np.random.default_rng(3))
    sums = np.zeros(inputs)
    add_column_squares(int(kind), inputs, raw[: 20 * len(raw) // 37], 20, sums)
    add_column_squares(int(kind), inputs, raw[20 * len(raw) // 37 :], 17, sums)
    weights = dequantize(kind, raw, (outputs, inputs)).astype(np.float64)
    np.testing.assert_allclose(sums, (weights**2).sum(axis=0), rtol=1e-12)


CONFIG = DecoderConfig(
    layers=1, width=64, heads=2, kv_heads=1, head_dim=16, hidden=96, vocab=8, eps=1e-5,
    rope_base=1e4, rope_interleaved=False, threads=1,
)  # fmt: skip


def test_thresholds_of_the_wrong_shape_are_refused() -> None:
    right = [np.zeros(n, np.float32) for n in (64, 32, 64, 96)]
    Thresholds(CONFIG, [tuple(right)])
    Thresholds(CONFIG, [(right[0], np.empty(0, np.float32), right[2], right[3])])
    with pytest.raises(ValueError, match="do not match"):
        Thresholds(CONFIG, [])
    for j, bad in enumerate((63, 33, 96, 64)):
        wrong = [*right[:j], np.zeros(bad, np.float32), *right[j + 1 :]]
        with pytest.raises(ValueError, match="wrong number"):
            Thresholds(CONFIG, [tuple(wrong)])


@pytest.mark.parametrize("value", [np.nan, np.inf, -1.0])
def test_thresholds_that_are_no_magnitudes_are_refused(value: float) -> None:
    arrays = [np.zeros(n, np.float32) for n in (64, 32, 64, 96)]
    arrays[3][7] = value
    with pytest.raises(ValueError, match="negative or no number"):
        Thresholds(CONFIG, [tuple(arrays)])


def test_bad_calls_are_refused() -> None:
    row = np.zeros(64, np.float32)
    for x, threshold, block in ((row[:33], row[:33], 32), (row, row[:32], 32), (row, row, 64)):
        with pytest.raises(ValueError, match="one size"):
            sparsify(x, threshold, block)
    for kind, inputs, data, rows, size in (
        (8, 32, 34, 1, 31), (8, 32, 33, 1, 32), (8, 33, 34, 1, 33), (7, 32, 24, 1, 32),
        (8, 32, 0, 0, 32), (12, 32, 144, 1, 32),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"\w"):
            add_column_squares(kind, inputs, np.zeros(data, np.uint8), rows, np.zeros(size))
