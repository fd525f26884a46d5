"""Predictions are made once, kept, and read again."""

from pathlib import Path

import pytest

from midline.benchmarks.quality.intents.kept_predictions import KeptPredictions, OutOfTime
from midline.benchmarks.quality.intents.measure import own_domain
from midline.model.intents.prediction import Prediction
from midline.model.intents.student import load_student
from midline.model.intents.utterance import Slot, Utterance


class Counting:
    """A model that counts its predictions."""

    asked = 0

    def predict(self, text: str) -> Prediction:
        """One slot: the whole text."""
        self.asked += 1
        return Prediction(Utterance(text, "open", (Slot("path", 0, len(text)),)), 0.75, 0.125)


def test_a_measurement_goes_on_where_it_was(tmp_path: Path) -> None:
    trace, model = tmp_path / "trace.jsonl", Counting()
    first = KeptPredictions(lambda: model, trace)
    found = [first.predict(text) for text in ("größe.py", "a", "a")]
    assert model.asked == 2

    def never() -> Counting:
        raise AssertionError("the model is loaded")

    again = KeptPredictions(never, trace)
    assert [again.predict(text) for text in ("größe.py", "a", "a")] == found


def test_nothing_is_asked_after_the_time(tmp_path: Path) -> None:
    kept = KeptPredictions(Counting, tmp_path / "trace.jsonl", -1.0)
    with pytest.raises(OutOfTime):
        kept.predict("a")


def test_a_draw_of_the_frozen_utterances_is_the_same_every_time() -> None:
    student = load_student()
    some = own_domain({"student": student}, 40)["models"]["student"]
    again = own_domain({"student": student}, 40)["models"]["student"]
    every = own_domain({"student": student})["models"]["student"]
    assert (some["utterances"], every["utterances"]) == (40, 339)
    assert some["exact_frame"] == again["exact_frame"] and some["in_scope"] == again["in_scope"]
