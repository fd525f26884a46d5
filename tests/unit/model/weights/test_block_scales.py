"""Scales of every block format: what is infinite or not a number is refused."""

from pathlib import Path

import numpy as np
import pytest
from gguf_writer import Tensor, gguf_bytes
from tiny_model import LLAMA, write_tiny_model

from midline.kernels.formats import SUPPORTED, GGMLType
from midline.kernels.reference import dequantize, random_blocks
from midline.model.errors import ModelFileError
from midline.model.weights.block_scales import check_all_scales
from midline.model.weights.config import read_config
from midline.model.weights.gguf import read_gguf
from midline.model.weights.packed import load_weights

SHAPE = (4, 512)


@pytest.mark.parametrize("kind", sorted(SUPPORTED))
@pytest.mark.parametrize("special", [0x7C00, 0xFC00, 0x7F80, 0xFFFF])
def test_what_dequantizes_to_no_number_is_refused_and_nothing_else(
    kind: GGMLType, special: int, tmp_path: Path
) -> None:
    """Every two bytes of the first block are set in turn: both sides must agree about each."""
    blocks = random_blocks(kind, *SHAPE, np.random.default_rng(1))
    path = tmp_path / "model.gguf"
    refused = 0
    for at in range(0, kind.block_bytes, 2):
        data = bytearray(blocks.tobytes())
        data[at : at + 2] = special.to_bytes(2, "little")
        tensor = Tensor(kind, SHAPE, np.frombuffer(data, np.uint8))
        path.write_bytes(gguf_bytes({}, {"t": tensor}))
        file = read_gguf(path)
        with np.errstate(all="ignore"):
            weights = dequantize(kind, file.data("t"), SHAPE)
        if np.isfinite(weights).all():
            check_all_scales(file, 1)
        else:
            refused += 1
            with pytest.raises(ModelFileError, match="t has weights that are infinite or not"):
                check_all_scales(file, 1)
    only_half = kind is GGMLType.F32 and special in (0x7C00, 0xFC00)  # exponents of large floats
    assert (refused == 0) == only_half


def test_a_model_of_such_scales_is_refused_before_anything_is_kept(
    tmp_path: Path, home: Path
) -> None:
    path = write_tiny_model(tmp_path / "model.gguf", LLAMA)
    info = read_gguf(path).tensors["blk.1.ffn_up.weight"]
    data = bytearray(path.read_bytes())
    data[info.offset : info.offset + 2] = b"\xff\x7f"
    path.write_bytes(data)
    file = read_gguf(path)
    for _ in range(2):
        with pytest.raises(ModelFileError, match=r"blk\.1\.ffn_up\.weight has weights that are"):
            load_weights(file, read_config(file), 2)
    assert not list((home / "packed").glob("*.packed"))
