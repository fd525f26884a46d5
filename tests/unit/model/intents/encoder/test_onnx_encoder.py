"""Encoders that cannot be used are told from those that can."""

import json
from pathlib import Path

import pytest

from midline.model.errors import MidlineError
from midline.model.intents.encoder.onnx_encoder import OnnxEncoder

pytest.importorskip("onnxruntime", reason="the extra `encoder` is not installed")


def test_a_missing_encoder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(MidlineError, match="there is no encoder of intents"):
        OnnxEncoder(tmp_path)


def test_an_encoder_without_labels_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "labels.json").write_text(json.dumps({"intents": ["open"]}))
    with pytest.raises(MidlineError, match="there is no encoder of intents"):
        OnnxEncoder(tmp_path)


@pytest.mark.parametrize("forms", [[], ["", "<path>"]])
def test_an_encoder_of_other_forms_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forms: list[str]
) -> None:
    """Its network would read the numbers of word forms as those of other ones."""
    labels = {"intents": ["open"], "tags": ["O"], "forms": forms}
    (tmp_path / "labels.json").write_text(json.dumps(labels))
    monkeypatch.setattr("midline.model.intents.encoder.onnx_encoder.PieceCutter", lambda _: None)
    monkeypatch.setattr("onnxruntime.InferenceSession", lambda *_, **__: None)
    with pytest.raises(MidlineError, match="another version"):
        OnnxEncoder(tmp_path)
