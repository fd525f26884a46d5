"""Every set of kernels that this CPU runs computes the same bits.

But for K-quants of more than 32 rows, which AVX2 without VNNI computes as it does one row.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[2]
CODE = """
import hashlib, sys
sys.path.insert(0, sys.argv[1])
import numpy as np
from midline.kernels import choose, kernel_name, log_sum_exp
from midline.kernels.formats import SUPPORTED
from packed_matrix import packed
print(kernel_name())
for kind in sorted(SUPPORTED):
    made = packed(kind, 300, 768 if kind.block_length == 256 else 544, seed=3)
    x = np.random.default_rng(1).normal(0, 1, (37, made.matrix.inputs)).astype(np.float32)
    rows = made.multiply(x)
    one = made.multiply(x, one_row=True)
    print(kind.name, *(hashlib.sha256(y.tobytes()).hexdigest() for y in (rows, one)))
"""


def run(kernels: str) -> list[str]:
    found = subprocess.run(
        [sys.executable, "-P", "-c", CODE, str(TESTS)],
        env={**os.environ, "MIDLINE_KERNELS": kernels},
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "does not run on this CPU" in found.stderr:
        pytest.skip(f"this CPU does not run {kernels}")
    assert found.returncode == 0, found.stderr
    name, *lines = found.stdout.splitlines()
    assert name == kernels
    return lines


@pytest.fixture(scope="module")
def scalar() -> list[str]:
    return run("scalar")


@pytest.mark.parametrize("kernels", ["avx2vnni", "avx512", "neon", "neoni8mm"])
def test_products_are_those_of_the_scalar_twin_to_the_bit(scalar: list[str], kernels: str) -> None:
    assert len(scalar) == 8
    assert run(kernels) == scalar


def test_products_of_avx2_are_those_of_one_scalar_row_whatever_the_number_of_rows(
    scalar: list[str],
) -> None:
    found = run("avx2")
    assert [line.split()[0] for line in found] == [line.split()[0] for line in scalar]
    for line, twin in zip(found, scalar, strict=True):
        many, one = line.split()[1:]
        assert many == one == twin.split()[2]
