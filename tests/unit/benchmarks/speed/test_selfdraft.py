"""`midline-bench speed selfdraft` on a tiny model: its figures, and what it refuses."""

import json
from pathlib import Path

import pytest

from midline.benchmarks.main import main
from midline.benchmarks.speed import selfdraft
from midline.benchmarks.speed.drafting import Row
from midline.model.teal.profile import CalibrationText, Profile, write_profile
from midline.model.weights.config import read_config
from midline.model.weights.gguf import read_gguf
from midline.model.weights.packed import model_hash


@pytest.fixture
def model(tiny_qwen2: Path, home: Path) -> Path:
    """A tiny model with a profile that drops next to nothing."""
    layers = read_config(read_gguf(tiny_qwen2)).layers
    text = CalibrationText("noise", "", 0)
    rows = ((1e-3,) * 4,) * layers
    profile = Profile("", model_hash(tiny_qwen2), 0.5, "magnitude", "uniform", rows, text)
    write_profile(profile, home / "profiles")
    return tiny_qwen2


def words(model: Path, *more: str) -> list[str]:
    call = ["speed", "selfdraft", "--model", str(model), "--tokens", "12", "--context", "700"]
    return [*call, "--threads", "1", *more]


def test_result(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "selfdraft.json"
    assert main(words(model, "--json", str(path))) == 0
    result = json.loads(path.read_text())
    rows = result["results"]
    assert result["benchmark"] == "selfdraft" and result["sparsity"] == 0.5
    assert result["cases"] == result["identical"] == len(rows) > 2
    total = sum(row["plain_seconds"] for row in rows) / sum(row["seconds"] for row in rows)
    assert result["ratio"] == pytest.approx(total)
    assert 0.9 < result["acceptance"] <= 1 and result["drafted_tokens"] > 0
    drawn = sum(row["tokens"] - 1 for row in rows)
    assert result["tokens_per_pass"] == pytest.approx(drawn / sum(row["passes"] for row in rows))
    assert result["tokens_per_pass"] > 1
    assert set(result["costs"]) == {"base", "row", "draft"} and result["costs"]["draft"] > 0
    assert "a step that skips 50%" in capsys.readouterr().out


def test_a_level_without_a_profile_is_refused(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(model, "--sparsity", "0.6")) == 2
    assert "no profile for --sparsity 0.6; there are profiles for 0.5" in capsys.readouterr().err


def test_a_context_that_holds_no_prompt_is_refused(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words(model, "--context", "40")) == 2
    assert "no prompt has at most 40 tokens" in capsys.readouterr().err


def test_a_different_output_is_an_error(
    model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = Row("shop-1", "unrelated", 10, 1.0, 2.0, 8, 7, 3, False)
    monkeypatch.setattr(selfdraft, "measured", lambda *_: [row])
    assert main(words(model)) == 1
    assert "shop-1 is written differently with self-drafting" in capsys.readouterr().err
