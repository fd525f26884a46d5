"""What a model of intents says about a sentence, and the interface that all of them have."""

from dataclasses import dataclass
from typing import Protocol

from midline.model.intents.utterance import Utterance


@dataclass(frozen=True, slots=True)
class Prediction:
    """The labels of a sentence; `outside` is the probability that it is out of scope."""

    utterance: Utterance
    confidence: float
    outside: float


class IntentModel(Protocol):
    """What tells the intent and the slots of sentences."""

    def predict(self, text: str) -> Prediction:
        """The labels of one sentence."""
        ...
