"""Importance weights: like texts weigh more, and draws are the same every time."""

from pathlib import Path

import numpy as np
import pytest

from midline.model.data_quality.importance import (
    BUCKETS,
    ImportanceModel,
    corpus_counts,
    feature_counts,
    resample,
)
from midline.model.data_quality.views import Views
from midline.model.errors import UsageError

CODE = ["def add(a, b): return a + b", "for x in values: total += x"]
PROSE = ["The committee met on Monday.", "Nobody could say when it began."]


def test_texts_like_the_target_weigh_more() -> None:
    model = ImportanceModel.fit(CODE, PROSE)
    weights = [model.weight(Views(text).raw) for text in (CODE[0], "return total", PROSE[1])]
    assert weights[0] > weights[1] > 0 > weights[2]
    assert model.signal(Views("")) == [(0, 0, None)]


def test_the_weight_is_the_sum_over_the_buckets() -> None:
    model = ImportanceModel.fit(CODE, PROSE)
    counts = feature_counts(Views(CODE[1]).raw)
    assert model.weight(Views(CODE[1]).raw) == pytest.approx(float(counts @ model.log_ratio))
    p, q = corpus_counts(CODE), corpus_counts(PROSE)
    at = int(np.argmax(p))
    expected = np.log(p[at] / p.sum() + 1e-8) - np.log(q[at] / q.sum() + 1e-8)
    assert model.log_ratio[at] == pytest.approx(expected)


def test_a_model_is_read_as_it_was_written(tmp_path: Path) -> None:
    model = ImportanceModel.fit(CODE, PROSE)
    model.save(tmp_path / "m.npz")
    assert np.array_equal(ImportanceModel.load(tmp_path / "m.npz").log_ratio, model.log_ratio)
    (tmp_path / "m.npz").write_bytes(b"x")
    with pytest.raises(UsageError, match="train it again"):
        ImportanceModel.load(tmp_path / "m.npz")


def test_a_draw_prefers_weight_and_is_the_same_with_its_seed() -> None:
    weights = [0.0] * 50 + [8.0] * 50
    drawn = resample(weights, 30, seed=1)
    assert drawn == resample(weights, 30, seed=1) != resample(weights, 30, seed=2)
    assert drawn == sorted(set(drawn)) and sum(n >= 50 for n in drawn) > 25
    assert resample(weights, 1000) == list(range(100))


def test_an_empty_corpus_is_refused() -> None:
    with pytest.raises(UsageError, match="has no words"):
        ImportanceModel.fit([], PROSE)
    assert (
        feature_counts(Views("").raw).sum() == 0 and len(feature_counts(Views("").raw)) == BUCKETS
    )
