"""Flipped bits in what Midline keeps on disk: found every time, and never used."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from midline import kernels
from midline.model.teal import column_norms
from midline.model.weights.config import read_config
from midline.model.weights.gguf import GGUFFile, read_gguf
from midline.model.weights.packed import load_weights, packed_file, plan_weights
from midline.model.weights.packed_file import PackedFile, PackedFileError

Tally = Callable[..., None]
FEW, MANY = 500, 10_000


def flip(path: Path, at: int, bit: int) -> None:
    """Turn one bit of a file round; the same call turns it back."""
    with path.open("r+b", buffering=0) as file:
        old = os.pread(file.fileno(), 1, at)[0]
        os.pwrite(file.fileno(), bytes([old ^ 1 << bit]), at)


def is_used(stored: PackedFile, arena: np.ndarray) -> bool:
    try:
        stored.read(arena, 1, lambda share: None)
    except PackedFileError:
        return False
    return True


def packed(file: GGUFFile) -> PackedFile:
    load_weights(file, read_config(file), 2)
    return packed_file(file, plan_weights(file, read_config(file)))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.attack)])
def test_flips_in_packed_weights(tiny_qwen2: Path, home: Path, count: int, tally: Tally) -> None:
    stored = packed(read_gguf(tiny_qwen2))
    arena = kernels.allocate(stored.nbytes)[: stored.nbytes]
    draw = np.random.default_rng(17)
    size, used = stored.path.stat().st_size, 0
    for at, bit in zip(
        draw.integers(0, size, count).tolist(), draw.integers(0, 8, count).tolist(), strict=True
    ):
        flip(stored.path, at, bit)
        used += is_used(stored, arena)
        flip(stored.path, at, bit)
    tally("flips in packed weights", count, used, f"of {size / 1e6:.1f} MB")
    assert used == 0
    assert is_used(stored, arena)  # what is whole is used


@pytest.mark.attack
@pytest.mark.timeout(1800)
def test_flips_in_the_packed_weights_of_a_real_model(
    smollm2_path: Path, home: Path, tally: Tally
) -> None:
    stored = packed(read_gguf(smollm2_path))
    arena = kernels.allocate(stored.nbytes)[: stored.nbytes]
    draw, used, count = np.random.default_rng(18), 0, 300
    size = stored.path.stat().st_size
    for at in draw.integers(0, size, count).tolist():
        flip(stored.path, at, at % 8)
        used += is_used(stored, arena)
        flip(stored.path, at, at % 8)
    tally("flips in packed weights, real model", count, used, f"of {size / 1e6:.0f} MB")
    assert used == 0 and is_used(stored, arena)


@pytest.mark.parametrize("count", [10, pytest.param(200, marks=pytest.mark.attack)])
def test_a_load_after_a_flip_packs_the_same_weights_again(
    tiny_llama: Path, home: Path, count: int, tally: Tally
) -> None:
    file = read_gguf(tiny_llama)
    stored, wanted = packed(file), load_weights(file, read_config(file), 2).arena.tobytes()
    draw, wrong = np.random.default_rng(19), 0
    for at in draw.integers(0, stored.path.stat().st_size, count).tolist():
        flip(stored.path, at, at % 8)
        loaded = load_weights(file, read_config(file), 2)
        wrong += loaded.from_cache or not loaded.note or loaded.arena.tobytes() != wanted
    tally("loads after a flip", count, wrong, "packed again, said so")
    assert wrong == 0


@pytest.mark.parametrize("count", [FEW, pytest.param(MANY, marks=pytest.mark.attack)])
def test_flips_in_column_norms(tiny_qwen2: Path, home: Path, count: int, tally: Tally) -> None:
    file = read_gguf(tiny_qwen2)
    norms = column_norms.column_norms(file, read_config(file))
    (path,) = (home / "packed").glob("*.norms")
    draw, used = np.random.default_rng(20), 0
    for at in draw.integers(0, path.stat().st_size, count).tolist():
        flip(path, at, at % 8)
        used += column_norms._read(path, norms.size) is not None
        flip(path, at, at % 8)
    tally("flips in column norms", count, used)
    assert used == 0 and column_norms._read(path, norms.size) is not None
