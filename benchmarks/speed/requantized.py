"""A copy of a model in Q4_0, llama.cpp's fastest format, for comparing both engines on it."""

import os
import tempfile
from pathlib import Path

from midline.model.errors import MidlineError, UsageError
from midline.model.paths import cache_folder

FTYPE_Q4_0 = 2


def requantized(path: Path, threads: int) -> Path:
    """`path` requantized by llama.cpp to Q4_0; made once and kept in the cache folder.

    Speed only: weights that were quantized already lose quality a second time.
    """
    folder = cache_folder() / "requantized"
    target = folder / f"{path.stem}.q4_0.gguf"
    if target.exists() and target.stat().st_mtime >= path.stat().st_mtime:
        return target
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        made = Path(temporary) / target.name
        _quantize(path, made, threads)
        os.replace(made, target)
    return target


def _quantize(source: Path, target: Path, threads: int) -> None:
    try:
        import llama_cpp
    except ModuleNotFoundError as error:
        raise UsageError(
            "requantizing needs the Python package 'llama_cpp': install llama-cpp-python"
        ) from error
    parameters = llama_cpp.llama_model_quantize_default_params()
    parameters.nthread = threads
    parameters.ftype = FTYPE_Q4_0
    parameters.allow_requantize = True
    status = llama_cpp.llama_model_quantize(str(source).encode(), str(target).encode(), parameters)
    if status != 0:
        raise MidlineError(f"llama.cpp cannot requantize {source} (status {status})")
