"""Recipes for the ONNX engine: every one that ships writes a folder that runs."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from engine_models import random_ids

from midline.model.compression.quantization.onnx_model import quantize_onnx, static_scales
from midline.model.compression.quantization.recipe import find_recipe, recipe_names
from midline.model.errors import UsageError

pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
pytest.importorskip("onnx", reason="the extra `onnx` is not installed")

from midline.model.engines.onnx.decoder import OnnxDecoder

CODE = "def total(items):\n    return sum(item.value for item in items)\n" * 200
RECIPES = [name for name in recipe_names() if find_recipe(name).engine == "onnx"]


@pytest.fixture(scope="module")
def model(tiny_qwen2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("onnx")
    return Path(shutil.copy(tiny_qwen2, folder / "tiny.gguf"))


def logits(folder: Path) -> np.ndarray:
    decoder = OnnxDecoder(folder, 1, 256)
    return decoder.forward([(decoder.cache.start([]), random_ids(30, seed=4))], logits="all")


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_writes_a_folder_that_runs(
    name: str, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDLINE_HOME", str(model.parent))
    reference, target = model.with_name("reference"), model.with_name(name)
    quantize_onnx(model, reference, find_recipe("onnx-float32"), "")
    quantize_onnx(model, target, find_recipe(name), CODE)
    truth, found = logits(reference), logits(target)
    error = np.sqrt(np.square(found - truth).mean() / np.square(truth).mean())
    assert error == 0 if name == "onnx-float32" else 0 < error < 0.6
    about = json.loads((target / "midline.json").read_text())["about"]
    assert about["midline.quantization.recipe"] == name


def test_percentiles_are_narrower_than_the_whole_range(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    monkeypatch.setenv("MIDLINE_HOME", str(model.parent))
    recipe = find_recipe("onnx-int8-static")
    half = replace(recipe, calibration=replace(recipe.calibration, percentile=90.0))
    whole = replace(recipe, calibration=replace(recipe.calibration, method="min-max"))
    narrow, wide = (static_scales(model, each, CODE) for each in (half, whole))
    assert narrow.keys() == wide.keys() and all(narrow[key] < wide[key] for key in wide)
    with pytest.raises(UsageError, match="tokens and 256 are needed"):
        static_scales(model, recipe, "x = 1")
