"""Texts of the ONNX engine against the native float path: where they part, and how close it was."""

import json
from pathlib import Path

import numpy as np
import pytest

from midline.benchmarks.main import main
from midline.benchmarks.quality.engines.measure import compared, summary

CALL = ["quality", "engines", "--prompts", "3", "--tokens", "12", "--written", "5"]


def test_a_float32_export_writes_the_native_text(
    tiny_qwen2: Path, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("onnxruntime", reason="the extra `onnx` is not installed")
    pytest.importorskip("onnx", reason="the extra `onnx` is not installed")
    out = tmp_path / "engines.json"
    words = ["--model", str(tiny_qwen2), "--recipes", "onnx-float32", "--margin", "0.001"]
    assert main([*CALL, *words, "--json", str(out)]) == 0
    found = json.loads(out.read_text())["forms"]["onnx-float32"]
    assert found["texts"] == found["same_to_first_close"] == 3
    assert "3 of 3 texts the same" in capsys.readouterr().out


def test_the_native_engines_recipes_are_refused(
    tiny_qwen2: Path, home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*CALL, "--model", str(tiny_qwen2), "--recipes", "q8_0"]) == 2
    assert "the recipe q8_0 is of the native engine" in capsys.readouterr().err
    assert main([*CALL, "--margin", "-1"]) == 2


def test_a_text_may_part_where_the_choice_is_close() -> None:
    logits = np.array([[0, 5, 1], [2, 1.95, 0], [0, 0, 9]], np.float32)
    assert compared([1, 0, 2], logits, 0.1)["parts_at"] is None
    close = compared([1, 1, 2], logits, 0.1)
    assert (close["parts_at"], close["first_close"], close["same"]) == (1, 1, True)
    assert close["margin_where_parting"] == pytest.approx(0.05, abs=1e-4)
    clear = compared([0, 0, 2], logits, 0.1)
    assert (clear["parts_at"], clear["same"]) == (0, False)
    assert clear["margin_where_parting"] == pytest.approx(4)


def test_later_differences_do_not_count() -> None:
    logits = np.array([[1, 1.01], [9, 0]], np.float32)
    rows = [compared([1, 1], logits, 0.1), compared([0, 0], logits, 0.001)]
    found = summary(rows)
    assert (rows[0]["parts_at"], rows[0]["same"]) == (1, True)  # token 0 was close
    assert (rows[1]["parts_at"], rows[1]["same"]) == (0, False)
    assert (found["texts"], found["same_to_first_close"], found["equal_tokens"]) == (2, 1, 1)
    assert found["largest_margin_where_parting"] == 9
