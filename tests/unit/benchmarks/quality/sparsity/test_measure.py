"""`midline-bench quality sparsity` from end to end on a tiny model, and how bytes are counted."""

import json
from pathlib import Path

import numpy as np
import pytest
from engine_models import decoder

from midline.benchmarks.main import main
from midline.benchmarks.quality.sparsity.decode_bytes import DecodeBytes
from midline.benchmarks.quality.sparsity.measure import Scores, over_uniform

TASKS = Path(__file__).resolve().parents[4] / "golden" / "mbxp" / "tasks"
CODE = "def value(self, index):\n    return self.items[index] + len(self.items)\n"


@pytest.fixture
def text(tmp_path: Path) -> Path:
    path = tmp_path / "text.py"
    path.write_text("".join(f"{CODE}value_{i} = {i}\n" for i in range(200)))
    return path


def test_tiny_model(tiny_qwen2, tmp_path, home, text, capsys):
    path, plot = tmp_path / "sparsity.json", tmp_path / "plot.svg"
    words = ["quality", "sparsity", "--model", str(tiny_qwen2), "--data", str(TASKS)]
    words += ["--lang", "python", "--levels", "0.25", "0.6", "--variants", "uniform", "greedy"]
    if pytest.importorskip("matplotlib", reason="plots need matplotlib"):
        words += ["--plot", str(plot)]
    assert main([*words, "--text", str(text), "--json", str(path)]) == 0
    result = json.loads(path.read_text())
    dense, *rows = result["rows"]
    assert result["problems"] == 1 and dense["variant"] == "dense" and dense["agreement"] == 1
    assert [(row["variant"], row["sparsity"]) for row in rows] == [
        ("uniform", 0.25), ("uniform", 0.6), ("greedy", 0.25), ("greedy", 0.6),
    ]  # fmt: skip
    for row in rows:
        assert row["tokens"] == dense["tokens"] and 0 < row["agreement"] <= 1
        assert row["perplexity"] > 0 and row["bytes_per_token"] < dense["bytes_per_token"]
        kept = row["kept_channels"].values()
        assert all(0 < share < 1 for share in kept)
    assert rows[1]["bytes_per_token"] < rows[0]["bytes_per_token"]
    assert rows[0]["kept_channels"]["qkv"] == pytest.approx(0.75, abs=0.15)
    assert [(row["variant"], row["sparsity"]) for row in result["over_uniform"]] == [
        ("greedy", 0.25), ("greedy", 0.6),
    ]  # fmt: skip
    for row, uniform, greedy in zip(result["over_uniform"], rows[:2], rows[2:], strict=True):
        ratio = greedy["perplexity"] / uniform["perplexity"]
        assert row["difference"] == pytest.approx(np.log(ratio), abs=1e-9)
    assert "greedy" in capsys.readouterr().out and plot.stat().st_size > 1000


def test_the_interval_is_of_problems_weighted_with_their_tokens():
    uniform = Scores([0] * 40, [(10.0, 10), (20.0, 20), (8.0, 10)])
    other = Scores([0] * 40, [(9.0, 10), (18.0, 20), (7.0, 10)])
    (row,) = over_uniform({("uniform", 0.5): uniform, ("greedy", 0.5): other})
    assert row["difference"] == pytest.approx(-0.1)
    assert row["interval"] == pytest.approx([-0.1, -0.1])  # as much better everywhere
    other.of_problem[2] = (8.0, 10)
    (row,) = over_uniform({("uniform", 0.5): uniform, ("greedy", 0.5): other})
    low, high = row["interval"]
    assert row["difference"] == pytest.approx(-0.075)
    assert low < row["difference"] < high == row["upper_bound"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--levels", "0.95"], "between 0 and 0.9"),
        (["--limit", "0"], "--limit needs at least 1"),
        (["--levels", "0.33"], "no profile for --sparsity 0.33"),
        (["--variants", "greedy"], "name --text"),
    ],
)
def test_wrong_calls(tiny_qwen2, home, words, message, capsys):
    call = ["quality", "sparsity", "--model", str(tiny_qwen2), "--data", str(TASKS)]
    assert main([*call, "--lang", "python", *words]) == 2
    assert message in capsys.readouterr().err


def test_bytes_are_those_of_the_layout(tiny_qwen2, home):
    model = decoder(tiny_qwen2)
    sizes = DecodeBytes.of(model)
    sections = model.weights.plan.sections
    layers = range(model.config.layers)
    names = [f"{i}.{name}" for i in layers for name in ("qkv", "out", "gate_up", "down")]
    screen = sections["screen"] if "screen" in sections else sections["head"]
    assert sizes.dense == sum(sections[name].nbytes for name in names) + screen.nbytes
    assert (sizes.codes > 0).any() and (sizes.rest >= 0).all()
    half = sizes.of_token(np.full(sizes.codes.shape, 0.5))
    assert sizes.dense - half == pytest.approx(sizes.codes.sum() / 2)
