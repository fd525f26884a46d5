"""The stand-ins for the compiled kernels: they choose what the kernels choose."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from midline import kernels
from midline.kernels import portable


@pytest.mark.parametrize("seed", range(12))
def test_the_same_token_is_chosen(seed: int) -> None:
    rng = np.random.default_rng(seed)
    row = rng.normal(0, 3, 300).astype(np.float32)
    row[7] = row[9] = row.max()
    row[20] = np.nan
    clean = np.nan_to_num(row, nan=-50.0).astype(np.float32)
    log_sum = portable.log_sum_exp(clean)
    assert log_sum == pytest.approx(kernels.log_sum_exp(clean), rel=1e-6)
    allowed = np.sort(rng.choice(300, 40, replace=False)).astype(np.int32)
    for temperature, top_p, min_p in [(0.0, 1, 0), (0.8, 1, 0), (1.5, 0.7, 0), (0.9, 0.95, 0.1)]:
        for ids in (None, allowed, allowed[::-1].copy()):
            for position in range(8):
                how = {"temperature": temperature, "top_p": top_p, "min_p": min_p, "seed": seed,
                       "sample": 3, "position": position, "allowed": ids}  # fmt: skip
                mine, theirs = (m.choose(row, log_sum, **how) for m in (portable, kernels))
                assert mine[0] == theirs[0]
                assert mine[1] == pytest.approx(theirs[1], abs=1e-5)


def test_random_numbers_are_the_same() -> None:
    for keys in [(0, 0, 0), (1, 2, 3), (2**63 - 1, 63, 1000)]:
        assert portable.uniform(*keys) == kernels.uniform(*keys)


def test_the_names_are_those_of_the_kernels() -> None:
    assert all(hasattr(portable, name) for name in kernels.__all__)
    for name in ("LAYOUT_VERSION", "MAX_ROWS", "PAGE_TOKENS", "UNIT"):
        assert getattr(portable, name) == getattr(kernels, name)
    with pytest.raises(ValueError, match="the logits are not numbers"):
        portable.choose(np.full(4, np.nan, np.float32), 0.0)


@pytest.mark.parametrize("engine", ["onnx", "native"])
def test_without_kernels_onnx_runs_and_the_native_engine_says_so(
    engine: str, tiny_qwen2: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
    code = f"""
import os, sys
os.environ["MIDLINE_HOME"] = {str(tmp_path)!r}
sys.modules["midline.kernels._native"] = None
from midline.server.cli.main import main
sys.exit(main(["generate", "def f(", "--prompt", "raw", "--model", {str(tiny_qwen2)!r},
               "--max-tokens", "4", "--engine", {engine!r}, "--json"]))
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False
    )
    if engine == "onnx":
        assert done.returncode == 0, done.stderr
        assert '"tokens": 4' in done.stdout
    else:
        assert done.returncode == 1
        assert "no kernels were built for this machine; use --engine onnx" in done.stderr


def test_kernels_of_an_older_build_are_told_from_none() -> None:
    code = """
import sys, types
sys.modules["midline.kernels._native"] = types.ModuleType("midline.kernels._native")
import midline.kernels
"""
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "ImportError: cannot import name" in done.stderr
