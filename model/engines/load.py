"""Engines by their kind: the registry of the implementations.

A new engine adds its kind to KINDS, which `--engine` accepts, and its loader to `load_engine`.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from midline.model.decoding.options import SamplingOptions
from midline.model.errors import UsageError

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

KINDS = ("native", "onnx", "remote")
"""Every kind of engine, the default first."""


def load_engine(
    model: str | Path,
    kind: str = "native",
    *,
    options: SamplingOptions | None = None,
    threads: int | None = None,
    progress: Callable[[float], None] | None = None,
    cache_tokens: int | None = None,
) -> "Engine":
    """The engine of this kind for a model: a catalogue name or a path.

    options: the largest request that is planned. The engine gets room for its samples, and what the
    request needs besides the model, such as a sparsity profile, is looked for at once. threads:
    None for one a physical core. progress: called with shares from 0 to 1. cache_tokens: prompts
    and completions that a prefix cache has to hold together; None is the engine's default.

    The remote engine takes its endpoint from `RemoteOptions` in `options.engine`.

    Raises UsageError (an unknown kind, an endpoint without consent), MidlineError (not pulled,
    memory too small, an endpoint that does not answer), ModelFileError.
    """
    if kind not in KINDS:
        raise UsageError(f"there is no engine {kind!r}; there is {', '.join(KINDS)}")
    if kind == "remote":
        from midline.model.engines.remote.endpoint import RemoteOptions
        from midline.model.engines.remote.engine import RemoteEngine

        engine_options = (options or SamplingOptions()).of_engine(RemoteOptions)
        return RemoteEngine.load(str(model), engine_options)
    if kind == "onnx":
        from midline.model.engines.onnx.engine import load_onnx

        return load_onnx(model, options or SamplingOptions(), threads, progress, cache_tokens)
    from midline.model.engines.native.load import load_native

    return load_native(model, options or SamplingOptions(), threads, progress, cache_tokens)


def import_native() -> None:
    """Import what loading a native engine does, before there is one to be loaded."""
    import midline.model.engines.native.engine
    import midline.model.engines.native.load  # noqa: F401
