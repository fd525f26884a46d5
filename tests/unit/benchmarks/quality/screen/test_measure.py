"""`midline-bench quality screen` from end to end on a tiny model."""

import json

import numpy as np
import pytest

from midline.benchmarks.main import main
from midline.benchmarks.quality.screen.measure import Agreement


def test_tiny_model(tiny_qwen2, tmp_path, home, capsys):
    path = tmp_path / "screen.json"
    words = ["--positions", "70", "--json", str(path)]
    assert main(["quality", "screen", "--model", str(tiny_qwen2), *words]) == 0
    result = json.loads(path.read_text())
    assert result["positions"] == 70
    assert 0.9 <= result["agreement"] <= 1.0
    assert 0 <= result["mean_error"] <= result["max_error"]
    assert "70 positions" in capsys.readouterr().out


def test_agreement_counts_the_greedy_token():
    found = Agreement()
    exact = np.log(np.array([0.7, 0.2, 0.1], np.float32))
    found.add(exact, exact)
    found.add(exact, np.log(np.array([0.2, 0.7, 0.1], np.float32)))
    found.add(exact, np.log(np.array([0.8, 0.1, 0.1], np.float32)))
    assert found.summary()["agreement"] == pytest.approx(2 / 3)
    assert found.summary()["max_error"] == pytest.approx(np.log(0.8 / 0.7), abs=1e-5)
