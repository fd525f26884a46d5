"""Hyper-parameters of a model file: read, and refused by name when they cannot be."""

from pathlib import Path
from typing import Any

import pytest
from gguf_writer import gguf_bytes
from tiny_model import LLAMA, write_tiny_model

from midline.model.errors import ModelFileError
from midline.model.weights.config import ModelConfig, read_config
from midline.model.weights.gguf import read_gguf


def test_both_architectures_are_read(tiny_qwen2: Path, tiny_llama: Path) -> None:
    assert read_config(read_gguf(tiny_qwen2)) == ModelConfig(
        architecture="qwen2",
        layers=3,
        width=256,
        heads=4,
        kv_heads=2,
        head_dim=64,
        hidden=768,
        vocab=512,
        context_length=512,
        eps=pytest.approx(1e-6),
        rope_base=1_000_000.0,
    )
    llama = read_config(read_gguf(tiny_llama))
    assert (llama.heads, llama.kv_heads, llama.head_dim, llama.vocab) == (5, 1, 64, 500)
    assert llama.rope_interleaved and not read_config(read_gguf(tiny_qwen2)).rope_interleaved
    assert llama.kv_bytes_per_token == 2 * 2 * 2 * 64  # keys and values, f16, layers, one head


def test_the_real_model_has_the_sizes_of_its_card(qwen05_path: Path) -> None:
    c = read_config(read_gguf(qwen05_path))
    assert (c.layers, c.width, c.heads, c.kv_heads, c.hidden) == (24, 896, 14, 2, 4864)
    assert (c.vocab, c.context_length, c.rope_base) == (151_936, 32_768, 1_000_000.0)


def refusal(path: Path, extra: dict[str, Any]) -> str:
    """The sentence about the file at `path` with other entries in its metadata."""
    file = read_gguf(path)
    file.metadata.update(extra)
    with pytest.raises(ModelFileError) as error:
        read_config(file)
    assert str(path) in str(error.value)
    return str(error.value)


def test_an_unknown_architecture_is_named(tmp_path: Path) -> None:
    path = write_tiny_model(tmp_path / "gemma.gguf", LLAMA, architecture="gemma3")
    with pytest.raises(ModelFileError, match="is of architecture 'gemma3'; Midline runs llama and"):
        read_config(read_gguf(path))
    path.write_bytes(gguf_bytes({}, {}))
    with pytest.raises(ModelFileError, match="is of architecture 'unknown'"):
        read_config(read_gguf(path))


NEEDED = (
    "block_count",
    "embedding_length",
    "feed_forward_length",
    "attention.head_count",
    "attention.layer_norm_rms_epsilon",
    "context_length",
)


@pytest.mark.parametrize("key", NEEDED)
def test_a_missing_entry_is_named(tiny_qwen2: Path, key: str) -> None:
    file = read_gguf(tiny_qwen2)
    del file.metadata[f"qwen2.{key}"]
    with pytest.raises(ModelFileError, match=rf"does not say qwen2\.{key}"):
        read_config(file)


@pytest.mark.parametrize("value", [0, -1, 2**40, 3.5, float("inf"), float("nan")])
@pytest.mark.parametrize("key", ["block_count", "attention.head_count", "attention.head_count_kv"])
def test_a_size_that_cannot_be_is_named(tiny_qwen2: Path, key: str, value: float) -> None:
    sentence = refusal(tiny_qwen2, {f"qwen2.{key}": value})
    assert f"for qwen2.{key}, which cannot be" in sentence


@pytest.mark.parametrize("value", ["many", True, [1, 2]])
def test_a_size_of_another_kind_is_named(tiny_qwen2: Path, value: Any) -> None:
    assert "does not say qwen2.block_count" in refusal(tiny_qwen2, {"qwen2.block_count": value})


@pytest.mark.parametrize(
    "extra",
    [
        {"qwen2.attention.head_count_kv": 3},
        {"qwen2.block_count": 5000},
        {"qwen2.attention.layer_norm_rms_epsilon": float("nan")},
        {"qwen2.attention.layer_norm_rms_epsilon": -1.0},
        {"qwen2.rope.freq_base": 0.5},
        {"qwen2.rope.freq_base": float("inf")},
    ],
)
def test_impossible_combinations_are_refused(tiny_qwen2: Path, extra: dict[str, Any]) -> None:
    assert "has impossible sizes in its metadata" in refusal(tiny_qwen2, extra)


@pytest.mark.parametrize(
    "extra",
    [
        {"qwen2.embedding_length": 264},
        {"qwen2.feed_forward_length": 100},
        {"qwen2.attention.key_length": 24, "qwen2.rope.dimension_count": 24},
    ],
)
def test_widths_that_are_no_multiples_are_refused(tiny_qwen2: Path, extra: dict[str, Any]) -> None:
    assert "widths that are not multiples" in refusal(tiny_qwen2, extra)


@pytest.mark.parametrize(
    "extra",
    [
        {"qwen2.rope.dimension_count": 32},
        {"qwen2.rope.dimension_count": "all"},
        {"qwen2.rope.scaling.type": "yarn"},
    ],
)
def test_other_rotary_embeddings_are_refused(tiny_qwen2: Path, extra: dict[str, Any]) -> None:
    assert "rotary embedding" in refusal(tiny_qwen2, extra)
