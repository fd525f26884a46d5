"""The self-test passes here and notices broken kernels."""

import os
import subprocess
import sys

import numpy as np
import pytest

from midline.kernels import Matrix, kernel_name, self_test
from midline.kernels.formats import SUPPORTED


def test_every_type_is_tested_both_ways_and_passes() -> None:
    errors = self_test.self_test()
    assert len(errors) == 2 * len(SUPPORTED)
    assert self_test.failures(errors) == {}
    # The check itself must not be vacuous: rounding activations to 8 bits has to be visible.
    assert errors["Q4_K one row"] > 1e-4
    assert errors["F32 one row"] < 1e-5


@pytest.mark.parametrize("wrong", ["zero", "nan", "swapped"])
def test_a_broken_kernel_is_noticed(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    class Broken:
        def __init__(self, inputs: int, types: list[int]) -> None:
            self.matrix = Matrix(inputs, types)
            self.nbytes = self.matrix.nbytes
            self.pack = self.matrix.pack

        def multiply(self, data: np.ndarray, x: np.ndarray, y: np.ndarray, one_row: bool) -> None:
            self.matrix.multiply(data, x, y, one_row)
            if wrong == "zero":
                y[:, 7] = 0
            elif wrong == "nan":
                y[0, 0] = np.nan
            else:
                y[:, [0, 1]] = y[:, [1, 0]]

    monkeypatch.setattr(self_test, "Matrix", Broken)
    errors = self_test.self_test()
    assert set(self_test.failures(errors)) == set(errors)


def test_the_scalar_kernels_pass_too() -> None:
    code = (
        "from midline.kernels import kernel_name; "
        "from midline.kernels.self_test import failures, self_test; "
        "assert kernel_name() == 'scalar'; assert not failures(self_test())"
    )
    environment = {**os.environ, "MIDLINE_KERNELS": "scalar"}
    subprocess.run([sys.executable, "-P", "-c", code], env=environment, check=True)
    assert kernel_name()
