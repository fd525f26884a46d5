"""Loading the native engine with room for what is planned."""

from collections.abc import Callable
from pathlib import Path

from midline.model.decoding.options import NativeOptions, SamplingOptions
from midline.model.engines.native.engine import NativeEngine
from midline.model.runtime.decoder import CACHE_TOKENS, KEPT_BYTES, TAIL_TOKENS
from midline.model.runtime.kv_cache import PAGE


def load_native(
    model: str | Path,
    options: SamplingOptions,
    threads: int | None,
    progress: Callable[[float], None] | None,
    cache_tokens: int | None,
) -> NativeEngine:
    """See `midline.model.engines.load`; a cache of a given size is kept whole."""
    tails = options.samples * (min(options.max_tokens, CACHE_TOKENS) + 2 * PAGE)
    return NativeEngine.load(
        model,
        threads=threads,
        progress=progress,
        sparsity=options.of_engine(NativeOptions).sparsity,
        cache_tokens=cache_tokens or CACHE_TOKENS,
        tail_tokens=max(TAIL_TOKENS, tails),
        kept_bytes=KEPT_BYTES if cache_tokens is None else None,
    )
