"""Scores of frames, each against a case counted by hand."""

import numpy as np
import pytest

from midline.benchmarks.quality.intents.frozen_utterances import SHA256, frozen_utterances
from midline.benchmarks.quality.intents.scores import Judged, auroc, form_of, summary
from midline.model.intents.prediction import Prediction
from midline.model.intents.utterance import parse_augmented


def judged(truth: str, guess: str, outside: float, milliseconds: float = 1.0) -> Judged:
    prediction = Prediction(parse_augmented(guess), 0.9, outside)
    return Judged(parse_augmented(truth), prediction, milliseconds)


def test_the_figures_of_three_sentences() -> None:
    figures = summary(
        [
            judged("((open)) open [a.py|path]", "((open)) open [a.py|path]", 0.1),
            judged("((open)) open [a.py|path]", "((open)) open [a.py|symbol]", 0.2),
            judged("((out_of_scope)) hello", "((status)) hello", 0.6, 9.0),
        ]
    )
    assert figures["intent_accuracy"]["value"] == 1
    assert figures["exact_frame"]["value"] == 0.5
    assert figures["slot_f1"] == 0.5
    assert figures["out_of_scope_auroc"]["value"] == 1
    assert figures["out_of_scope_recall"]["value"] == 0
    assert figures["milliseconds"]["p50"] == 1


def test_auroc_counts_ties_half() -> None:
    assert auroc(np.array([1.0, 0.5]), np.array([0.5, 0.0])) == pytest.approx(0.875)


def test_the_form_of_a_sentence_has_no_slots_and_no_signs() -> None:
    assert form_of(parse_augmented("((open)) Open `[a.py|path]`, now!")) == "open <path> now"


def test_the_test_set_is_the_frozen_one() -> None:
    utterances = frozen_utterances()
    assert len(utterances) >= 300
    assert sum(u.intent == "out_of_scope" for u in utterances) >= 60
    assert len({u.text for u in utterances}) == len(utterances)
    assert len(SHA256) == 64
