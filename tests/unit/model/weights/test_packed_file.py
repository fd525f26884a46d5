"""The file of packed weights: every byte of it is covered by a check."""

import os
from pathlib import Path

import numpy as np
import pytest

from midline.model.weights.packed_file import (
    PIECE_BYTES,
    PackedFile,
    PackedFileError,
    cut_into_pieces,
)

BYTES = 3 * 4096


def a_file(path: Path, key: bytes = b"k" * 32) -> PackedFile:
    return PackedFile(path, key, cut_into_pieces([("a", 0), ("b", 4096)], BYTES))


def written(path: Path) -> np.ndarray:
    arena = np.random.default_rng(5).integers(0, 256, BYTES, np.uint8)
    a_file(path).write(arena, 2)
    return arena


def read(stored: PackedFile) -> np.ndarray:
    arena = np.zeros(stored.nbytes, np.uint8)
    stored.read(arena, 2, lambda share: None)
    return arena


def test_pieces_cover_the_arena_once() -> None:
    end = 3 * PIECE_BYTES + 4096
    pieces = cut_into_pieces([("small", 0), ("large", 4096)], end)
    assert [piece.name for piece in pieces] == ["small", "large", "large", "large"]
    assert [piece.start for piece in pieces[1:]] == [piece.end for piece in pieces[:-1]]
    assert (pieces[0].start, pieces[-1].end) == (0, end)
    assert max(piece.end - piece.start for piece in pieces) == PIECE_BYTES


def test_every_single_flip_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    arena = written(path)
    assert np.array_equal(read(a_file(path)), arena)
    whole = path.read_bytes()
    draw = np.random.default_rng(6)
    places = [*range(120), *draw.integers(0, len(whole), 1000).tolist(), len(whole) - 1]
    for at in places:
        data = bytearray(whole)
        data[at] ^= 1 << int(draw.integers(8))
        path.write_bytes(data)
        with pytest.raises(PackedFileError):
            read(a_file(path))


def test_the_section_that_is_damaged_is_named(tmp_path: Path) -> None:
    path = tmp_path / "file"
    written(path)
    data = bytearray(path.read_bytes())
    data[-1] ^= 128
    path.write_bytes(data)
    with pytest.raises(PackedFileError, match=r"were damaged \(the checksum of b is wrong\)"):
        read(a_file(path))


def test_another_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "file"
    written(path)
    with pytest.raises(PackedFileError, match="were of another layout or cut short"):
        read(a_file(path, key=b"x" * 32))


@pytest.mark.timeout(20)
def test_a_fifo_is_no_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    os.mkfifo(path)
    with pytest.raises(OSError, match="is not a regular file"):
        read(a_file(path))
