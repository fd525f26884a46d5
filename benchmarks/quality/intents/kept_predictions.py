"""Predictions of a slow model, kept in a trace so that a measurement can be continued.

Times of such a measurement mean nothing: what was kept is read, not predicted.
"""

import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from midline.benchmarks.quality.answers import Answers
from midline.model.intents.prediction import IntentModel, Prediction
from midline.model.intents.utterance import Slot, Utterance


class OutOfTime(Exception):
    """The time of this call is over; what was predicted is kept."""


class KeptPredictions:
    """An `IntentModel` that asks another one for what is not in `trace`.

    `load` makes the other one when it is first needed. After `seconds` nothing more is asked, and
    `predict` raises OutOfTime.
    """

    def __init__(
        self, load: Callable[[], IntentModel], trace: Path, seconds: float | None = None
    ) -> None:
        self._load = load
        self._answers = Answers(trace)
        self._ends = None if seconds is None else time.monotonic() + seconds
        self._model: IntentModel | None = None

    def predict(self, text: str) -> Prediction:
        """The labels of one sentence."""
        known = self._answers.get(text)
        if known is not None:
            return _prediction(json.loads(known))
        if self._ends is not None and time.monotonic() > self._ends:
            raise OutOfTime
        self._model = self._model or self._load()
        found = self._model.predict(text)
        self._answers.add(text, json.dumps(_row(found)))
        return found


def _row(found: Prediction) -> dict[str, Any]:
    return {**asdict(found.utterance), "confidence": found.confidence, "outside": found.outside}


def _prediction(row: dict[str, Any]) -> Prediction:
    slots = tuple(Slot(**slot) for slot in row["slots"])
    utterance = Utterance(row["text"], row["intent"], slots)
    return Prediction(utterance, row["confidence"], row["outside"])
