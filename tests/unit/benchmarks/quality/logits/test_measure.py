"""`midline-bench quality logits` from end to end on a tiny model, and how it compares engines."""

import json

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.quality.logits.measure import kl_ratios


def test_ratios_are_of_paths_both_engines_have():
    rows = [
        {"engine": "midline", "path": "float", "mean_kl": 0.1},
        {"engine": "midline", "path": "decode", "mean_kl": 0.3},
        {"engine": "llama.cpp", "path": "decode", "mean_kl": 0.2},
        {"engine": "llama.cpp", "path": "prefill", "mean_kl": 0.2},
    ]
    assert kl_ratios(rows) == {"decode": pytest.approx(1.5)}


def measured(model, path, *words):
    pytest.importorskip("torch", reason="the reference needs torch and transformers")
    words = ["--prompts", "2", "--tokens", "40", "--json", str(path), *words]
    assert main(["quality", "logits", "--model", str(model), *words]) == 0
    return json.loads(path.read_text())


def test_tiny_model_with_rounded_activations(tiny_qwen2, tmp_path, home, capsys):
    result = measured(tiny_qwen2, tmp_path / "logits.json", "--engine", "midline")
    rows = {row["path"]: row for row in result["rows"]}
    assert set(rows) == {"prefill", "decode"}
    assert all(row["positions"] == 80 for row in rows.values())
    assert 1e-7 < rows["decode"]["mean_kl"] < 0.1
    assert result["prompts"]["tokens"] == [40, 40]
    assert "decode" in capsys.readouterr().out


def test_tiny_model_with_float_activations(tiny_llama, tmp_path, home):
    (row,) = measured(tiny_llama, tmp_path / "logits.json", "--float")["rows"]
    assert row["path"] == "float"
    assert row["mean_kl"] < 1e-5
    assert row["decided_agreement"] == 1.0


def test_no_prompt_is_a_wrong_call(tiny_qwen2, capsys):
    assert main(["quality", "logits", "--model", str(tiny_qwen2), "--prompts", "0"]) == 2
    assert "--prompts" in capsys.readouterr().err
