"""Writing a model by a recipe, for the engine that the recipe names."""

from collections.abc import Callable
from pathlib import Path

from midline.model.cancellation import Cancellation
from midline.model.compression.quantization.recipe import Recipe


def write_model(
    source: Path,
    target: Path,
    recipe: Recipe,
    text: str,
    *,
    progress: Callable[[float], None] = lambda _: None,
    cancel: Cancellation | None = None,
) -> bool:
    """Writes the GGUF file `source` to `target` by `recipe`; False if it was there already.

    target: a GGUF file for the native engine, a folder for the ONNX engine. Raises Cancelled,
    MidlineError, ModelFileError, UsageError.
    """
    if recipe.engine == "native":
        from midline.model.compression.quantization.gguf_model import quantize_gguf

        return quantize_gguf(source, target, recipe, text, progress=progress, cancel=cancel)
    from midline.model.compression.quantization.onnx_model import quantize_onnx

    return quantize_onnx(source, target, recipe, text, progress=progress, cancel=cancel)
