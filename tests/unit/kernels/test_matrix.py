"""Packed matrices: nothing is lost in the layout, and products are what the arithmetic says."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from packed_matrix import activation_block, packed, rounded

from midline.kernels import MAX_ROWS, UNIT, Matrix, allocate
from midline.kernels.formats import SUPPORTED, GGMLType
from midline.kernels.reference import dequantize, random_blocks

KINDS = sorted(SUPPORTED)
K_QUANTS = (GGMLType.Q4_K, GGMLType.Q6_K)
SMALL_BLOCKS = [kind for kind in KINDS if kind not in K_QUANTS]
ROUNDING = 2.0**-18
"""Float rounding of a product, relative to the sum of its terms' sizes: 2^-24 for each of the few
dozen sums that one output goes through."""

by_name = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)


def unpacked(matrix: Matrix, data: np.ndarray) -> np.ndarray:
    """Weights as float32 [outputs, inputs]."""
    units = [
        np.vstack([matrix.unpack(unit, block, data) for block in range(matrix.superblocks)]).T
        for unit in range(matrix.units)
    ]
    return np.vstack(units)


def shapes(kind: GGMLType) -> list[tuple[int, int]]:
    """Outputs and inputs: part of a unit, several units, short last superblocks."""
    if kind in K_QUANTS:
        return [(128, 256), (5, 512), (333, 1792)]
    return [(128, 32), (1, 64), (333, 256), (77, 320), (200, 896), (130, 544), (129, 2272)]


@by_name
def test_unpacked_is_what_was_packed(kind: GGMLType) -> None:
    for outputs, inputs in shapes(kind):
        for run_bytes, min_items in ((2304, 8), (1, 1), (150, 99)):
            made = packed(kind, outputs, inputs, inputs, run_bytes, min_items)
            found = unpacked(made.matrix, made.data)
            np.testing.assert_array_equal(found, made.weights, f"{outputs} x {inputs}")
            assert made.matrix.superblocks == -(-inputs // 256)


def test_rows_packed_in_pieces_and_alternating_units() -> None:
    """Gate and up alternate unit by unit; each comes in pieces, from several threads at once."""
    rng = np.random.default_rng(3)
    outputs, inputs, piece = 600, 320, 2 * UNIT
    kinds = (GGMLType.Q4_1, GGMLType.Q5_0)
    matrix = Matrix(inputs, [int(kind) for _ in range(5) for kind in kinds], 256)
    data = allocate(matrix.nbytes)
    raws = [random_blocks(kind, outputs, inputs, rng) for kind in kinds]

    def pack(part: int, first: int) -> None:
        row = kinds[part].row_bytes(inputs)
        count = min(piece, outputs - first)
        rows = raws[part][first * row : (first + count) * row]
        matrix.pack(part + first // UNIT * 2, 2, rows, count, data)

    with ThreadPoolExecutor(4) as pool:
        for part in (0, 1):
            list(pool.map(pack, [part] * 3, range(0, outputs, piece)))
    found = unpacked(matrix, data).reshape(5, 2, UNIT, inputs)
    for part, kind in enumerate(kinds):
        weights = dequantize(kind, raws[part], (outputs, inputs))
        np.testing.assert_array_equal(found[:, part].reshape(-1, inputs)[:outputs], weights)
        assert not found[:, part].reshape(-1, inputs)[outputs:].any()


def check_product(block: int, x: np.ndarray, y: np.ndarray, weights: np.ndarray) -> None:
    """y against float64: exactly but for float rounding, and within the activations' steps."""
    values, step = rounded(x, block)
    wide, size = weights.astype(np.float64), np.abs(weights).astype(np.float64)
    # A minimum is subtracted from what may be large: what is rounded are code and minimum alone.
    slack = ROUNDING * (np.abs(values) @ (size + 8 * size.max()).T)
    assert (np.abs(y - values @ wide.T) <= slack).all()
    assert (np.abs(y - x.astype(np.float64) @ wide.T) <= (step / 2) @ size.T + slack).all()


@by_name
@pytest.mark.parametrize("one_row", [True, False], ids=["one row", "many rows"])
def test_product_against_float64(kind: GGMLType, one_row: bool) -> None:
    for outputs, inputs in shapes(kind):
        made = packed(kind, outputs, inputs, outputs, min_items=1 + inputs % 3)
        rng = np.random.default_rng(inputs)
        x = rng.normal(0, 1, (5, inputs)).astype(np.float32)
        x[1] *= np.where(rng.random(inputs) < 0.02, 100, 1).astype(np.float32)
        x[2, : inputs // 2] = 0
        x[3] = 0
        y = made.multiply(x, one_row=one_row)
        check_product(activation_block(kind), x, y, made.weights)
        assert not y[3].any()


@by_name
def test_extreme_codes_do_not_overflow(kind: GGMLType) -> None:
    """Every activation at +-127 and every weight at either end: 16-bit sums would saturate."""
    inputs, rng = 512, np.random.default_rng(9)
    for pattern in (0, 255):
        raw = random_blocks(kind, UNIT, inputs, rng)
        if kind.block_length > 1:
            blocks = raw.reshape(-1, kind.block_bytes)
            kept = blocks.copy()
            blocks[:] = pattern
            for at in {GGMLType.Q6_K: (208,), GGMLType.Q4_1: (0, 2), GGMLType.Q4_K: (0, 2)}.get(
                kind, (0,)
            ):
                blocks[:, at : at + 2] = kept[:, at : at + 2]
        matrix = Matrix(inputs, [int(kind)])
        data = allocate(matrix.nbytes)
        matrix.pack(0, 1, raw, UNIT, data)
        x = np.where(rng.random((3, inputs)) < 0.5, -1, 1).astype(np.float32)
        x[0] = 1
        weights = dequantize(kind, raw, (UNIT, inputs))
        for one_row in (True, False):
            y = np.empty((3, UNIT), np.float32)
            matrix.multiply(data, x, y, one_row)
            check_product(activation_block(kind), x, y, weights)


@by_name
def test_one_row_and_many_rows_are_the_same_bits(kind: GGMLType) -> None:
    inputs = 1024 if kind in K_QUANTS else 864
    for run_bytes, min_items in ((2304, 8), (1, 1)):
        made = packed(kind, 300, inputs, 4, run_bytes, min_items)
        rng = np.random.default_rng(1)
        x = rng.normal(0, 1, (256, inputs)).astype(np.float32)
        single = made.multiply(x, one_row=True)
        for rows in (1, 2, 3, 4, 5, 7, 15, 16, 17, 31, 32):
            np.testing.assert_array_equal(made.multiply(x[:rows]), single[:rows], f"{rows} rows")
        many = made.multiply(x)
        for rows in (33, 100, 255):
            np.testing.assert_array_equal(made.multiply(x[:rows]), many[:rows], f"{rows} rows")
        if kind not in K_QUANTS:
            np.testing.assert_array_equal(many, single)


@pytest.mark.parametrize("kind", K_QUANTS, ids=lambda kind: kind.name)
def test_folded_scales_of_many_rows_cost_no_more_than_rounded_activations(kind: GGMLType) -> None:
    """Above 32 rows the scales within a superblock go into 8-bit weights with one scale."""
    made = packed(kind, 300, 1024, 6)
    x = np.random.default_rng(1).normal(0, 1, (100, 1024)).astype(np.float32)
    wide = made.weights.astype(np.float64)[:300].T
    folded, rounding = made.multiply(x)[:, :300], rounded(x, 256)[0] @ wide
    error = np.linalg.norm(folded - rounding, axis=0) / np.linalg.norm(rounding, axis=0)
    price = np.linalg.norm(rounding - x @ wide, axis=0) / np.linalg.norm(rounding, axis=0)
    assert error.mean() < 1.2 * price.mean() and error.max() < 0.016


@pytest.mark.parametrize("kinds", [SMALL_BLOCKS, KINDS, [GGMLType.Q6_K, GGMLType.F16]])
def test_types_side_by_side_in_one_matrix(kinds: list[GGMLType]) -> None:
    for run_bytes in (1, 300, 2304):
        made = packed(kinds, 140, 512, 8, run_bytes)
        x = np.random.default_rng(2).normal(0, 1, (19, 512)).astype(np.float32)
        y = made.multiply(x)
        np.testing.assert_array_equal(y, made.multiply(x, one_row=True))
        for i, kind in enumerate(kinds):
            part = slice(i * 2 * UNIT, (i + 1) * 2 * UNIT)
            check_product(activation_block(kind, kinds), x, y[:, part], made.weights[part])


def test_activations_round_half_to_even() -> None:
    """With 127 as the largest, codes are the numbers themselves: halves show where they go."""
    matrix = Matrix(32, [int(GGMLType.Q8_0)])
    data = allocate(matrix.nbytes)
    raw = np.zeros((UNIT, 34), np.uint8)
    raw[:, :2] = np.array([1.0], "<f2").view(np.uint8)
    for output in range(32):
        raw[output, 2 + output] = 1  # output o reads channel o
    matrix.pack(0, 1, raw.reshape(-1), UNIT, data)
    x = np.array([[127, 0.5, 1.5, 2.5, -0.5, -1.5, -2.5, 3.49, *range(8, 32)]], np.float32)
    y = np.empty((1, UNIT), np.float32)
    for one_row in (True, False):
        matrix.multiply(data, x, y, one_row)
        np.testing.assert_array_equal(y[0, :8], [127, 0, 2, 2, 0, -2, -2, 3])


def bad_calls() -> dict[str, object]:
    """Calls that must be refused before they touch memory."""
    matrix = Matrix(64, [8, 8])
    data = allocate(matrix.nbytes)
    rows = np.zeros(34 * 2 * 256, np.uint8)
    x, y = np.zeros((2, 64), np.float32), np.zeros((2, 256), np.float32)
    return {
        "no inputs": lambda: Matrix(0, [8]),
        "inputs not of groups": lambda: Matrix(40, [8]),
        "negative inputs": lambda: Matrix(-32, [8]),
        "half a K block": lambda: Matrix(320, [12]),
        "no units": lambda: Matrix(64, []),
        "no run": lambda: Matrix(64, [8], 0),
        "unknown type": lambda: Matrix(64, [7]),
        "negative type": lambda: Matrix(64, [-1]),
        "unit out of range": lambda: matrix.pack(2, 1, rows[: 68 * 128], 128, data),
        "negative unit": lambda: matrix.pack(-1, 1, rows[: 68 * 128], 128, data),
        "units beyond the last": lambda: matrix.pack(1, 1, rows, 256, data),
        "step of zero": lambda: matrix.pack(0, 0, rows, 256, data),
        "no rows": lambda: matrix.pack(0, 1, rows[:0], 0, data),
        "negative rows": lambda: matrix.pack(0, 1, rows, -128, data),
        "units of two types": lambda: Matrix(64, [8, 0]).pack(0, 1, rows[: 68 * 256], 256, data),
        "rows too short": lambda: matrix.pack(0, 1, rows[:-1], 256, data),
        "output too small": lambda: matrix.pack(0, 1, rows, 256, data[:-1]),
        "unpack beyond units": lambda: matrix.unpack(2, 0, data),
        "unpack beyond blocks": lambda: matrix.unpack(0, 1, data),
        "unpack too little": lambda: matrix.unpack(0, 0, data[:-1]),
        "x too narrow": lambda: matrix.multiply(data, x[:, :32].copy(), y),
        "y too narrow": lambda: matrix.multiply(data, x, y[:, :128].copy()),
        "y too short": lambda: matrix.multiply(data, x, y[:1]),
        "too little data": lambda: matrix.multiply(data[:-1], x, y),
        "too many rows": lambda: matrix.multiply(
            data,
            np.zeros((MAX_ROWS + 1, 64), np.float32),
            np.zeros((MAX_ROWS + 1, 256), np.float32),
        ),
    }


@pytest.mark.parametrize("name", bad_calls())
def test_a_bad_call_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        bad_calls()[name]()


def test_an_output_of_another_form_is_refused_and_not_silently_left_alone() -> None:
    matrix = Matrix(64, [8])
    data, x = allocate(matrix.nbytes), np.zeros((2, 64), np.float32)
    for y in (np.zeros((2, 128)), np.zeros((2, 256), np.float32)[:, ::2]):
        with pytest.raises(TypeError):
            matrix.multiply(data, x, y)
