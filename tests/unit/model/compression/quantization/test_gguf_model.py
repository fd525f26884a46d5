"""Models written by recipes for the native engine: what they are, and what may go wrong."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from engine_models import EXACT, all_logits, decoder, random_ids

from midline.kernels.formats import GGMLType
from midline.kernels.reference import dequantize
from midline.model import disk
from midline.model.cancellation import Cancelled
from midline.model.compression.quantization.gguf_model import quantize_gguf
from midline.model.compression.quantization.provenance import PREFIX
from midline.model.compression.quantization.recipe import find_recipe, parse_recipe
from midline.model.errors import MidlineError, ModelFileError, UsageError
from midline.model.weights.gguf import read_gguf

CODE = "def total(items):\n    return sum(item.value for item in items)\n" * 200


@pytest.fixture
def model(tiny_qwen2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path))
    return Path(shutil.copy(tiny_qwen2, tmp_path / "tiny.gguf"))


def logits(path: Path) -> np.ndarray:
    return all_logits(decoder(path), random_ids(40, seed=3), options=EXACT)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("q8_0", "Q8_0"), ("int8-channel", "Q8_0"), ("int8-tensor", "Q8_0"), ("q4_0", "Q4_0"),
        ("q3", "Q4_0"),
    ],
)  # fmt: skip
def test_a_recipe_writes_what_it_says(model: Path, tmp_path: Path, name: str, kind: str) -> None:
    target = tmp_path / "out" / "made.gguf"
    recipe = find_recipe(name)
    shares: list[float] = []
    assert quantize_gguf(model, target, recipe, "", progress=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1
    made, source = read_gguf(target), read_gguf(model)
    for tensor, info in made.tensors.items():
        if "blk" in tensor and len(info.shape) == 2:
            assert info.type is GGMLType[kind]
            truth = dequantize(source.tensors[tensor].type, source.data(tensor), info.shape)
            error = dequantize(info.type, made.data(tensor), info.shape) - truth
            share = np.square(error).sum() / np.square(truth).sum()
            assert 0 < share < {8: 0.001, 4: 0.02, 3: 0.08}[int(recipe.bits)]
        else:
            assert info.type is source.tensors[tensor].type
            np.testing.assert_array_equal(made.data(tensor), source.data(tensor))
    assert np.isfinite(logits(target)).all()
    assert not quantize_gguf(model, target, recipe, ""), "written a second time"


def test_the_source_of_a_model_is_in_its_metadata(model: Path, tmp_path: Path) -> None:
    from midline.model.weights.packed import model_hash

    quantize_gguf(model, tmp_path / "q.gguf", find_recipe("q8_0"), "")
    metadata = read_gguf(tmp_path / "q.gguf").metadata
    assert metadata[PREFIX + "recipe"] == "q8_0" and metadata[PREFIX + "source"] == "tiny.gguf"
    assert metadata[PREFIX + "source_sha256"] == model_hash(model)
    assert (
        metadata["tokenizer.ggml.eos_token_id"]
        == read_gguf(model).metadata["tokenizer.ggml.eos_token_id"]
    )


def test_eight_bits_are_nearer_than_four(model: Path, tmp_path: Path) -> None:
    truth, errors = logits(model), {}
    for name in ("q8_0", "q4_0", "q3"):
        quantize_gguf(model, tmp_path / f"{name}.gguf", find_recipe(name), "")
        errors[name] = np.abs(logits(tmp_path / f"{name}.gguf") - truth).mean()
    assert errors["q8_0"] < errors["q4_0"] < errors["q3"]


def test_activation_aware_scales_change_nothing_but_rounding(model: Path, tmp_path: Path) -> None:
    recipe = find_recipe("q4_0-awq")
    assert quantize_gguf(model, tmp_path / "awq.gguf", recipe, CODE)
    made = read_gguf(tmp_path / "awq.gguf")
    assert (
        made.data("blk.0.ffn_norm.weight") != read_gguf(model).data("blk.0.ffn_norm.weight")
    ).any()
    error = np.abs(logits(tmp_path / "awq.gguf") - logits(model)).mean()
    quantize_gguf(model, tmp_path / "plain.gguf", find_recipe("q4_0"), "")
    assert error < 1.25 * np.abs(logits(tmp_path / "plain.gguf") - logits(model)).mean()


def test_text_that_is_too_short_is_refused(model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"the calibration text has \d+ tokens and 256 are needed"):
        quantize_gguf(model, tmp_path / "awq.gguf", find_recipe("q4_0-awq"), "x = 1")
    assert not (tmp_path / "awq.gguf").exists()


def test_a_cancelled_quantization_leaves_nothing(model: Path, tmp_path: Path) -> None:
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        quantize_gguf(
            model,
            tmp_path / "q.gguf",
            find_recipe("q8_0"),
            "",
            progress=lambda _: cancel.set(),
            cancel=cancel,
        )
    assert not [path for path in tmp_path.iterdir() if path.name.startswith("q.gguf")]


def test_a_disk_too_small_is_told_beforehand(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(disk.shutil, "disk_usage", lambda _: usage)
    with pytest.raises(MidlineError, match=r"needs \d+ MB and the disk has 1 MB left; make room"):
        quantize_gguf(model, tmp_path / "q.gguf", find_recipe("q8_0"), "")


def test_groups_that_do_not_divide_a_matrix_are_named(
    tiny_llama: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path))
    recipe = parse_recipe("wide", {
        "engine": "native", "format": "Q4_0", "activations": "dynamic-block",
        "weights": {"bits": 4, "granularity": "group", "group": 256},
    })  # fmt: skip
    with pytest.raises(ModelFileError, match="has 320 inputs, which groups of 256 do not divide"):
        quantize_gguf(tiny_llama, tmp_path / "q.gguf", recipe, "")


def test_a_place_that_cannot_be_written_is_named(model: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(MidlineError, match=r"cannot be written .*; name another place with --to"):
        quantize_gguf(model, tmp_path / "file" / "q.gguf", find_recipe("q8_0"), "")
