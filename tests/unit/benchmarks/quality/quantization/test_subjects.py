"""Models of a study are written once: another text to calibrate on leaves them as they are."""

from pathlib import Path

import pytest

from midline.benchmarks.quality.quantization import subjects
from midline.benchmarks.quality.quantization.subjects import make_subject
from midline.model.compression.quantization.recipe import find_recipe

CODE = "def f(x):\n    return x + 1\n" * 400


def test_another_calibration_text_leaves_a_model_as_it_is(
    tiny_qwen2: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = find_recipe("q4_0-awq")
    monkeypatch.setattr(subjects, "calibration_text", lambda _: CODE)
    first = make_subject(str(tiny_qwen2), recipe)
    data = first.path.read_bytes()
    monkeypatch.setattr(subjects, "calibration_text", lambda _: CODE.replace("1", "2"))
    assert make_subject(str(tiny_qwen2), recipe) == first
    assert first.path.read_bytes() == data
    first.path.unlink()
    assert make_subject(str(tiny_qwen2), recipe).path.read_bytes() != data
