"""Engines by their kind."""

from pathlib import Path

import pytest

from midline.model.engines.base import SamplingOptions
from midline.model.engines.load import KINDS, load_engine
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError


def test_the_native_engine_is_the_default(tiny_qwen2: Path, home: Path) -> None:
    heard: list[float] = []
    loaded = load_engine(tiny_qwen2, threads=1, progress=heard.append, cache_tokens=2048)
    assert isinstance(loaded, NativeEngine) and loaded.kind in KINDS
    assert loaded.decoder.threads == 1 and heard[-1] == 1
    larger = load_engine(tiny_qwen2, options=SamplingOptions(samples=64, max_tokens=500))
    assert larger.decoder.cache.pool.pages > loaded.decoder.cache.pool.pages


def test_an_unknown_kind_is_named(tiny_qwen2: Path) -> None:
    with pytest.raises(UsageError, match="there is no engine 'gpu'; there is native, onnx, remote"):
        load_engine(tiny_qwen2, "gpu")
