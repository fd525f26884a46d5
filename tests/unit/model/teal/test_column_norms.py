"""Column norms against dequantized weights, and the file that remembers them."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from midline.kernels.reference import dequantize
from midline.model.teal.column_norms import column_norms
from midline.model.weights.config import read_config
from midline.model.weights.gguf import read_gguf


def test_norms_are_those_of_the_columns(
    variants: Callable[[str], Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = read_gguf(variants("qwen2"))
    config = read_config(file)
    found = column_norms(file, config)
    at = 0
    for tensors in (("attn_q", "attn_k", "attn_v"), ("attn_output",), ("ffn_gate", "ffn_up")):
        infos = [file.tensors[f"blk.1.{name}.weight"] for name in tensors]
        pieces = [
            dequantize(info.type, file.data(f"blk.1.{name}.weight"), info.shape)
            for name, info in zip(tensors, infos, strict=True)
        ]
        norms = np.linalg.norm(np.vstack(pieces).astype(np.float64), axis=0)
        width = len(norms)
        np.testing.assert_allclose(
            found[1, at : at + width], norms / np.sqrt((norms**2).mean()), rtol=1e-5
        )
        at += width
    path = next((home / "packed").glob("*.norms"))
    remembered = path.read_bytes()
    assert np.array_equal(column_norms(file, config), found)
    flipped = remembered[:100] + bytes([remembered[100] ^ 1]) + remembered[101:]
    longer = remembered + b"\0\0\0\0"
    for damage in (remembered[:-4], longer, b"\xff" * len(remembered), flipped):
        path.write_bytes(damage)
        assert np.array_equal(column_norms(file, config), found)
        assert path.read_bytes() == remembered
    path.unlink()
    os.mkfifo(path)
    assert np.array_equal(column_norms(file, config), found)
    assert path.read_bytes() == remembered
