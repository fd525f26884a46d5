"""Hyper-parameters of a decoder, read and checked from a GGUF file's metadata."""

import math
from dataclasses import dataclass

from midline.model.errors import ModelFileError
from midline.model.weights.gguf import GGUFFile

ARCHITECTURES = ("llama", "qwen2")
_TOO_LARGE = 2**31


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """Sizes of one decoder. Heads are query heads; `hidden` is the width inside the MLP."""

    architecture: str
    layers: int
    width: int
    heads: int
    kv_heads: int
    head_dim: int
    hidden: int
    vocab: int
    context_length: int
    eps: float
    rope_base: float

    @property
    def rope_interleaved(self) -> bool:
        """Whether rotary pairs are neighbours, as in GGUF files of llama, or half a head apart."""
        return self.architecture == "llama"

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes of f16 keys and values that one token adds."""
        return 2 * 2 * self.layers * self.kv_heads * self.head_dim


def read_config(file: GGUFFile) -> ModelConfig:
    """The configuration of `file`; ModelFileError says what is missing or cannot be run."""
    architecture = str(file.metadata.get("general.architecture", ""))
    if architecture not in ARCHITECTURES:
        known = " and ".join(ARCHITECTURES)
        raise ModelFileError(
            f"{file.path} is of architecture {architecture or 'unknown'!r}; Midline runs {known}"
        )
    config = _read(file, architecture)
    _check(file, config)
    return config


def _read(file: GGUFFile, architecture: str) -> ModelConfig:
    def number(key: str, default: float | None = None) -> float:
        value = file.metadata.get(f"{architecture}.{key}", default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise ModelFileError(f"{file.path} does not say {architecture}.{key}; pull it again")
        return value

    def size(key: str, default: int | None = None) -> int:
        value = number(key, default)
        if not isinstance(value, int) or not 0 < value < _TOO_LARGE:
            raise ModelFileError(
                f"{file.path} has {value} for {architecture}.{key}, which cannot be; pull it again"
            )
        return value

    heads = size("attention.head_count")
    width = size("embedding_length")
    embedding = file.tensors.get("token_embd.weight")
    if embedding is None or len(embedding.shape) != 2:
        raise ModelFileError(f"{file.path} has no token_embd.weight; pull it again")
    return ModelConfig(
        architecture=architecture,
        layers=size("block_count"),
        width=width,
        heads=heads,
        kv_heads=size("attention.head_count_kv", heads),
        head_dim=size("attention.key_length", width // heads),
        hidden=size("feed_forward_length"),
        vocab=embedding.shape[0],
        context_length=size("context_length"),
        eps=float(number("attention.layer_norm_rms_epsilon")),
        rope_base=float(number("rope.freq_base", 10000.0)),
    )


def _check(file: GGUFFile, c: ModelConfig) -> None:
    plausible = 0 < c.eps < 1 and 1 < c.rope_base < math.inf
    if c.heads % c.kv_heads or c.layers > 1024 or c.vocab < 1 or not plausible:
        raise ModelFileError(f"{file.path} has impossible sizes in its metadata; pull it again")
    if c.width % 32 or c.hidden % 32 or c.head_dim % 16:
        raise ModelFileError(
            f"{file.path} has widths that are not multiples of 32; Midline cannot run it"
        )
    rotated = file.metadata.get(f"{c.architecture}.rope.dimension_count", c.head_dim)
    scaling = file.metadata.get(f"{c.architecture}.rope.scaling.type", "none")
    if rotated != c.head_dim or scaling != "none" or "rope_freqs.weight" in file.tensors:
        raise ModelFileError(
            f"{file.path} scales or cuts its rotary embedding; Midline runs only the plain form"
        )
