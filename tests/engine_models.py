"""Tiny models whose sizes are awkward for the engine, and engines on them."""

from collections.abc import Sequence as Ids
from dataclasses import fields, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_model import LLAMA, QWEN2, TinyModel, write_tiny_model

from midline.kernels.formats import GGMLType
from midline.model.engines.base import (
    Generation,
    NativeOptions,
    Request,
    SamplingOptions,
    Stop,
)
from midline.model.engines.native.engine import NativeEngine
from midline.model.runtime.decoder import EXACT_ROWS, Decoder, StepOptions
from midline.model.runtime.kv_cache import Sequence
from midline.model.weights.gguf import read_gguf

EXACT = StepOptions(exact=True)
FLOAT = StepOptions(exact=True, float_activations=True)

_NATIVE = {field.name for field in fields(NativeOptions)}
_MATRICES = ("token_embd", "output", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate")
_MATRICES += ("ffn_up", "ffn_down")


def _types(*kinds: GGMLType) -> dict[str, GGMLType]:
    return {name: kinds[i % len(kinds)] for i, name in enumerate(_MATRICES)}


VARIANTS: dict[str, TinyModel] = {
    # K-quants beside 32-weight types in one fused matrix, biases, rotary halves.
    "qwen2": replace(QWEN2, context=1024),
    # Short last superblocks, five heads over one, rotary neighbours, tied output, 500 tokens.
    "llama": replace(LLAMA, context=1024),
    # Three key-value heads for two threads, small heads, tokens and widths no multiple of 128.
    "three-heads": TinyModel(
        architecture="llama",
        width=192,
        heads=6,
        kv_heads=3,
        mlp=352,
        head_width=32,
        vocabulary=515,
        context=1024,
        layers=2,
        types=_types(GGMLType.Q8_0, GGMLType.Q5_0),
    ),
    # Heads of 128, more heads than width, a hidden layer narrower than a third of the width.
    "narrow": TinyModel(
        architecture="qwen2",
        width=320,
        heads=6,
        kv_heads=2,
        mlp=32,
        head_width=128,
        vocabulary=385,
        context=1024,
        layers=2,
        biases=True,
        types=_types(GGMLType.Q4_1, GGMLType.F16, GGMLType.Q4_0, GGMLType.F32),
        extra={"qwen2.attention.key_length": 128},
    ),
    # K-quants only, several superblocks, as many key-value heads as heads.
    "k-quants": TinyModel(
        architecture="qwen2",
        width=512,
        heads=8,
        kv_heads=8,
        mlp=1536,
        vocabulary=513,
        context=1024,
        layers=2,
        biases=True,
        types=_types(GGMLType.Q6_K, GGMLType.Q4_K),
    ),
}


def write_variant(folder: Path, name: str) -> Path:
    """The model file of a variant, in `folder`, which is its home too."""
    path = folder / f"{name}.gguf"
    return path if path.exists() else write_tiny_model(path, VARIANTS[name])


def decoder(path: Path, threads: int = 2, **options: int) -> Decoder:
    """The decoder of a model file; its packed weights are kept beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIDLINE_HOME", str(path.parent))
        return Decoder(read_gguf(path), threads, **options)


def engine(path: Path, threads: int = 2, **options: int) -> NativeEngine:
    """An engine on a model file; its packed weights are kept beside it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIDLINE_HOME", str(path.parent))
        return NativeEngine.load(path, threads=threads, **options)


def random_ids(count: int, seed: int = 0, below: int = 380) -> list[int]:
    """Tokens that every variant has."""
    return [int(id) for id in np.random.default_rng(seed).integers(0, below, count)]


def all_logits(
    model: Decoder, ids: Ids[int], cuts: Ids[int] | None = None, options: StepOptions = EXACT
) -> np.ndarray:
    """Logits at every position, float32 [n, vocab]: computed in pieces that end at `cuts`.

    Without cuts the pieces are as large as may be for the bits not to depend on them.
    """
    sequence, parts = Sequence(), []
    cuts = range(EXACT_ROWS, len(ids), EXACT_ROWS) if cuts is None else cuts
    borders = [0, *cuts, len(ids)]
    for start, end in pairwise(borders):
        piece = [(sequence, ids[start:end])]
        parts.append(model.forward(piece, logits="all", options=options))
    model.cache.finish(sequence, remember=False)
    return np.vstack(parts)


def fill(model: Decoder, sequence: Sequence, ids: Ids[int]) -> Sequence:
    """Appends `ids` to the sequence in pieces on whose size no bit depends."""
    for start in range(0, len(ids), EXACT_ROWS):
        model.forward([(sequence, ids[start : start + EXACT_ROWS])], logits="none")
    return sequence


def pages_in_use(model: Decoder) -> int:
    """Pages that anything holds, the tree of known beginnings included."""
    return model.cache.pool.pages - model.cache.pool.free_pages


def forget(model: NativeEngine) -> None:
    """Empties the tree of known beginnings."""
    cache = model.decoder.cache
    cache._drop_leaves(cache.pool.pages)
    assert not cache._root.children


def drawn_ids(generation: Generation) -> list[list[int]]:
    """Tokens of every completion."""
    return [completion.ids for completion in generation.completions]


def requests(
    prompts: Ids[Ids[int]],
    aligns: Ids[bytes] | None = None,
    stops: Ids[Stop] | None = None,
    seeds: Ids[int] | None = None,
) -> list[Request]:
    """A request for each prompt, each with its own of whatever is given."""
    none = [None] * len(prompts)
    return [
        Request(prompt, align or b"", stop, seed)
        for prompt, align, stop, seed in zip(
            prompts, aligns or none, stops or none, seeds or none, strict=True
        )
    ]


def changed(options: SamplingOptions, **changes: Any) -> SamplingOptions:
    """`options` with some of them, or of the native engine's, replaced."""
    native = {name: value for name, value in changes.items() if name in _NATIVE}
    others = {name: value for name, value in changes.items() if name not in _NATIVE}
    return replace(options, engine=replace(options.of_engine(NativeOptions), **native), **others)


def check_pages(engine: NativeEngine) -> None:
    """Assert that only the tree of known beginnings holds pages, once each."""
    cache = engine.decoder.cache
    held = sorted(node.page for node in _nodes(cache._root))
    assert held == [page for page, count in enumerate(cache.pool.references) if count]
    assert set(cache.pool.references) <= {0, 1}


def _nodes(node: Any) -> list[Any]:
    found = list(node.children.values())
    for child in list(found):
        found += _nodes(child)
    return found
