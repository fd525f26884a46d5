"""Divergence of probabilities, on distributions small enough to do by hand."""

import math

import numpy as np
import pytest

from midline.benchmarks.quality.logits.divergence import Divergence


def logits(*rows) -> np.ndarray:
    return np.log(np.array(rows, np.float32))


def test_equal_models_do_not_diverge():
    found = Divergence()
    rows = np.random.default_rng(1).normal(size=(70, 11)).astype(np.float32)
    found.add(rows, rows + 3)  # a constant does not change probabilities
    summary = found.summary()
    assert summary["positions"] == 70
    assert summary["mean_kl"] == pytest.approx(0, abs=1e-6)
    assert summary["agreement"] == 1.0


def test_divergence_by_hand():
    found = Divergence()
    found.add(logits([0.5, 0.5], [0.75, 0.25]), logits([0.25, 0.75], [0.75, 0.25]))
    first = 0.5 * math.log(0.5 / 0.25) + 0.5 * math.log(0.5 / 0.75)
    assert found.kl == pytest.approx([first, 0], abs=1e-6)
    assert found.summary()["mean_kl"] == pytest.approx(first / 2, abs=1e-6)
    assert found.summary()["mean_kl_after_first"] == pytest.approx(0, abs=1e-6)
    assert found.summary()["max_kl"] == pytest.approx(first, abs=1e-6)
    assert [one["place"] for one in found.summary()["worst"]] == [0, 1]


def test_only_decided_positions_count_for_decided_agreement():
    found = Divergence(margin=0.1)
    reference = logits([0.51, 0.49], [0.8, 0.2], [0.2, 0.8])
    subject = logits([0.49, 0.51], [0.9, 0.1], [0.6, 0.4])
    found.add(reference, subject)
    summary = found.summary()
    assert summary["agreement"] == pytest.approx(1 / 3)
    assert summary["decided_positions"] == 2
    assert summary["decided_agreement"] == pytest.approx(1 / 2)
    assert summary["decided_disagreements"] == 1


def test_no_decided_position_is_no_agreement():
    found = Divergence()
    found.add(logits([0.5, 0.5]), logits([0.5, 0.5]))
    assert found.summary()["decided_agreement"] is None
