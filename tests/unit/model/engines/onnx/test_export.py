"""Exports: whole or not there, continued after a kill, and refused in one sentence."""

import json
import shutil
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from engine_models import VARIANTS, all_logits, decoder, random_ids, write_variant

from midline.model import disk
from midline.model.cancellation import Cancelled
from midline.model.engines.onnx.export import export_key, export_model, is_exported
from midline.model.engines.onnx.form import DEFAULT_FORM, OnnxForm
from midline.model.errors import MidlineError, ModelFileError, UsageError
from midline.model.runtime.decoder import StepOptions
from midline.model.weights.rounding import Rounding

pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
pytest.importorskip("onnx", reason="the extra `onnx` is not installed")

from midline.model.engines.onnx.decoder import OnnxDecoder

FLOAT = StepOptions(exact=True, float_activations=True)
PLAIN = OnnxForm()


@pytest.fixture
def model(tiny_qwen2: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path))
    return Path(shutil.copy(tiny_qwen2, tmp_path / "tiny.gguf"))


def onnx_logits(folder: Path, ids: list[int]) -> np.ndarray:
    model = OnnxDecoder(folder, 1, 256)
    return model.forward([(model.cache.start([]), ids)], logits="all")


@pytest.mark.parametrize("name", VARIANTS)
def test_float_logits_are_those_of_the_native_engine(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path))
    path = write_variant(tmp_path, name)
    assert export_model(path, tmp_path / "out", PLAIN)
    ids = random_ids(40, seed=3)
    truth = all_logits(decoder(path), ids, options=FLOAT)
    # The native engine keeps keys and values as float16.
    np.testing.assert_allclose(onnx_logits(tmp_path / "out", ids), truth, atol=0.03, rtol=0.01)


@pytest.mark.parametrize(
    ("form", "most"),
    [
        (DEFAULT_FORM, 0.1),
        (OnnxForm("int8", Rounding(8, "tensor"), "dynamic-token"), 0.15),
        (OnnxForm("int8", Rounding(8, "channel"), "dynamic-tensor"), 0.2),
        (OnnxForm("nbits", Rounding(8, "channel")), 0.1),
        (OnnxForm("nbits", Rounding(4, "group", 32, symmetric=False)), 0.6),
        (OnnxForm("nbits", Rounding(4, "group", 64)), 0.8),
    ],
)  # fmt: skip
def test_rounded_forms_are_near(model: Path, tmp_path: Path, form: OnnxForm, most: float) -> None:
    export_model(model, tmp_path / "float", PLAIN)
    export_model(model, tmp_path / "rounded", form)
    ids = random_ids(30, seed=4)
    truth, found = (onnx_logits(tmp_path / name, ids) for name in ("float", "rounded"))
    error = np.sqrt(np.square(found - truth).mean() / np.square(truth).mean())
    assert 0 < error < most
    size = {name: (tmp_path / name / "weights.bin").stat().st_size for name in ("float", "rounded")}
    assert size["rounded"] < size["float"]


def test_what_is_excluded_stays_as_it_is(model: Path, tmp_path: Path) -> None:
    names = ("attn_q", "attn_output", "ffn_gate", "ffn_up", "ffn_down", "output")
    export_model(model, tmp_path / "float", PLAIN)
    export_model(
        model, tmp_path / "kept", OnnxForm("int8", Rounding(8, "channel"), "dynamic-token", names)
    )
    ids = random_ids(20, seed=5)
    np.testing.assert_array_equal(*(onnx_logits(tmp_path / n, ids) for n in ("float", "kept")))


def test_a_cancelled_export_goes_on_where_it_was(model: Path, tmp_path: Path) -> None:
    target, cancel, shares = tmp_path / "out", threading.Event(), []

    def stop_at_half(share: float) -> None:
        if share > 0.5:
            cancel.set()

    with pytest.raises(Cancelled):
        export_model(model, target, PLAIN, progress=stop_at_half, cancel=cancel)
    assert not target.exists()
    assert export_model(model, target, PLAIN, progress=shares.append)
    assert shares[0] > 0.5 and shares[-1] == 1.0, "what was written is written again"
    export_model(model, tmp_path / "other", PLAIN)
    for name in ("weights.bin", "model.onnx", "midline.json"):
        assert (target / name).read_bytes() == (tmp_path / "other" / name).read_bytes()
    assert sorted(p.name for p in target.iterdir()) == [
        "midline.json", "model.onnx", "tokenizer.gguf", "weights.bin",
    ]  # fmt: skip
    assert not export_model(model, target, PLAIN), "exported a second time"


@pytest.mark.parametrize("journal", ["", "{}", '{"key": 3, "done": 9}', "[1]"])
def test_a_damaged_journal_starts_anew(model: Path, tmp_path: Path, journal: str) -> None:
    partial = tmp_path / "out.partial"
    partial.mkdir()
    (partial / "journal.json").write_text(journal)
    (partial / "weights.bin").write_bytes(b"noise")
    export_model(model, tmp_path / "out", PLAIN)
    export_model(model, tmp_path / "other", PLAIN)
    assert (tmp_path / "out/weights.bin").read_bytes() == (
        tmp_path / "other/weights.bin"
    ).read_bytes()


def test_another_form_replaces_an_export(model: Path, tmp_path: Path) -> None:
    export_model(model, tmp_path / "out", PLAIN)
    assert export_model(model, tmp_path / "out", DEFAULT_FORM)
    assert is_exported(tmp_path / "out", export_key(model, DEFAULT_FORM))
    about = json.loads((tmp_path / "out/midline.json").read_text())
    assert about["form"]["storage"] == "int8"


def test_a_half_export_is_refused(model: Path, tmp_path: Path) -> None:
    export_model(model, tmp_path / "out", PLAIN)
    (tmp_path / "out/weights.bin").write_bytes(b"cut short")
    with pytest.raises(
        ModelFileError, match=r"cannot be run by ONNX Runtime .* remove it and export"
    ):
        OnnxDecoder(tmp_path / "out", 1, 256)
    (tmp_path / "out/midline.json").write_text("{")
    with pytest.raises(ModelFileError, match="is not a whole export of a model; remove it"):
        OnnxDecoder(tmp_path / "out", 1, 256)


def test_what_cannot_be_exported_is_told(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tiny_model import QWEN2, write_tiny_model

    gemma = write_tiny_model(tmp_path / "gemma.gguf", QWEN2, architecture="gemma")
    with pytest.raises(
        ModelFileError, match="is of architecture 'gemma'; Midline runs llama and qwen2"
    ):
        export_model(gemma, tmp_path / "out", PLAIN)
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    with monkeypatch.context() as patch:
        patch.setattr(disk.shutil, "disk_usage", lambda _: usage)
        with pytest.raises(MidlineError, match=r"needs \d+ MB and the disk has 1 MB left"):
            export_model(model, tmp_path / "out", PLAIN)
    (tmp_path / "file").write_text("")
    with pytest.raises(MidlineError, match="cannot be written"):
        export_model(model, tmp_path / "file" / "out", PLAIN)


def test_missing_packages_are_named_with_their_extra(
    model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_model(model, tmp_path / "out", PLAIN)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(
        UsageError, match="needs the package onnxruntime: install Midline with the extra `onnx`"
    ):
        OnnxDecoder(tmp_path / "out", 1, 256)
    monkeypatch.setitem(sys.modules, "onnx", None)
    monkeypatch.delitem(sys.modules, "midline.model.engines.onnx.graph", raising=False)
    monkeypatch.delitem(sys.modules, "midline.model.engines.onnx.matrices", raising=False)
    with pytest.raises(
        UsageError, match="needs the package onnx: install Midline with the extra `onnx`"
    ):
        export_model(model, tmp_path / "again", PLAIN)
