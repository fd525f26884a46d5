"""Speed and energy on a tiny model: rounds by turns, every raw time kept, paired ratios."""

import json
from pathlib import Path

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.quality.quantization import energy, speed

WORK = {"prefill", "decode", "completions", "joules", "grams"}


def test_subjects_are_measured_by_turns_with_the_reference(
    tiny_qwen2: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("onnx", "onnxruntime", "codecarbon", "matplotlib"):
        pytest.importorskip(package, reason="the extra `study` is not installed")
    monkeypatch.setattr(speed, "ROUNDS", 2)
    sizes = {"PREFILL_TOKENS": 40, "CONTEXT_TOKENS": 24, "DECODE_TOKENS": 3}
    for name, value in {**sizes, "PROMPT_TOKENS": 20, "COMPLETION_TOKENS": 3}.items():
        monkeypatch.setattr(speed, name, value)
    out, page = tmp_path / "result.json", tmp_path / "page.md"
    words = ["quality", "quantization", "--dense", "--model", str(tiny_qwen2), "--recipes", "q8_0"]
    words += ["q4_0", "--only", "speed", "--out", str(tmp_path / "study"), "--together", "1"]
    assert main([*words, "--threads", "1", "--json", str(out), "--page", str(page)]) == 0
    rows = json.loads(out.read_text())["models"][0]["rows"]
    assert [row["name"] for row in rows] == ["onnx-float32", "q4_0", "q8_0"]
    for row in rows:
        found = row["speed"]
        assert set(found["rounds"]) == set(found["reference_rounds"]) == WORK
        assert {len(times) for times in found["rounds"].values()} == {2}
        assert found["resident_bytes"] > 0 and found["load_seconds"] >= 0
        own, other = found["rounds"]["decode"], found["reference_rounds"]["decode"]
        ratios = sorted(b / a for a, b in zip(own, other, strict=True))
        assert found["decode_ratio"]["least"] == pytest.approx(ratios[0], rel=0.02)
    assert rows[0]["speed"]["decode_ratio"]["median"] == 1
    text = page.read_text()
    assert "Joules are " in text and "the electricity of DEU" in text


def test_a_ratio_is_of_the_same_round() -> None:
    assert speed.ratio([1, 2, 4], [2, 2, 2]) == {"median": 1.0, "least": 0.5, "most": 2.0}


def test_an_estimate_is_called_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(energy, "COUNTERS", tmp_path / "none")
    assert energy.energy_method().startswith("estimated")
    monkeypatch.setattr(energy, "COUNTERS", tmp_path)
    assert energy.energy_method().startswith("estimated")
    (tmp_path / "intel-rapl:0").mkdir()
    (tmp_path / "intel-rapl:0/energy_uj").write_text("1")
    assert energy.energy_method().startswith("measured")
