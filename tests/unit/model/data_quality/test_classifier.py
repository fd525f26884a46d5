"""The quality classifier."""

from pathlib import Path

import pytest

from midline.model.data_quality.classifier import QualityClassifier
from midline.model.data_quality.views import Views
from midline.model.errors import UsageError

GOOD = [f"def f{n}(a): return a + {n}" for n in range(20)]
BAD = [f"Read our offer number {n} and buy now!" for n in range(20)]


def test_it_tells_the_kinds_apart_on_texts_it_has_not_seen(tmp_path: Path) -> None:
    model = QualityClassifier.fit(GOOD[:15], BAD[:15])
    assert all(model.score(Views(text).raw) > 0.5 for text in GOOD[15:])
    assert all(model.score(Views(text).raw) < 0.5 for text in BAD[15:])
    model.save(tmp_path / "m.npz")
    loaded = QualityClassifier.load(tmp_path / "m.npz")
    assert loaded.score(Views(GOOD[0]).raw) == model.score(Views(GOOD[0]).raw)
    assert model.signal(Views("")) == [(0, 0, None)]


def test_both_kinds_are_needed() -> None:
    with pytest.raises(UsageError, match="both kinds"):
        QualityClassifier.fit(GOOD, [])
