"""A folder for the ONNX engine, quantized by a recipe."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from midline.model.cancellation import Cancellation
from midline.model.compression.quantization.calibration import layer_inputs
from midline.model.compression.quantization.provenance import Provenance
from midline.model.compression.quantization.recipe import Recipe
from midline.model.engines.onnx.export import export_model
from midline.model.engines.onnx.form import OnnxForm
from midline.model.weights.config import read_config
from midline.model.weights.gguf import read_gguf
from midline.model.weights.packed import model_hash

INPUTS = ("qkv", "out", "gate_up", "down")


def quantize_onnx(
    source: Path,
    target: Path,
    recipe: Recipe,
    text: str,
    *,
    progress: Callable[[float], None] = lambda _: None,
    cancel: Cancellation | None = None,
) -> bool:
    """Exports the model file `source` to the folder `target` by `recipe`; see `export_model`.

    text: what static scales are calibrated on. Raises UsageError for a text that is too short, too.
    """
    is_static = recipe.activations == "static-tensor"
    scales = static_scales(source, recipe, text, cancel) if is_static else {}
    form = OnnxForm(
        storage={"float32": "float32", "int8": "int8", "nbits": "nbits"}[recipe.format],  # type: ignore[arg-type]
        rounding=recipe.rounding,
        activations=recipe.activations,
        exclude=recipe.exclude,
        scales=scales,
    )
    digest = hashlib.sha256(text.encode()).hexdigest() if is_static else ""
    entries = Provenance(recipe, source.name, model_hash(source), digest).entries()
    return export_model(source, target, form, entries=entries, progress=progress, cancel=cancel)


def static_scales(
    source: Path, recipe: Recipe, text: str, cancel: Cancellation | None = None
) -> dict[str, float]:
    """The step of 8-bit codes for each product's input, from its magnitudes on the text.

    The range ends at the largest magnitude, or at a percentile of all of them.
    """
    plan = recipe.calibration
    percentile = plan.percentile if plan.method == "percentile" else 100.0
    inputs = layer_inputs(source, text, plan.tokens, cancel)
    found = {}
    for layer in range(read_config(read_gguf(source)).layers):
        for name, values in zip(INPUTS, inputs(layer), strict=True):
            most = float(np.percentile(np.abs(values), percentile))
            found[f"{layer}.{name}"] = max(most, 1e-6) / 127
    return found
