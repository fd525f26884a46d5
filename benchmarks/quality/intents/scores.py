"""Scores of predicted frames: intent accuracy, slot F1, exact frames, out-of-scope AUROC, time."""

import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline.benchmarks.mbxp.statistics import wilson
from midline.model.intents.prediction import IntentModel, Prediction
from midline.model.intents.schema import OUT_OF_SCOPE
from midline.model.intents.utterance import Utterance

_RESAMPLES = 1000
_SIGNS = re.compile(r"[^\w<>' ]+")


@dataclass(frozen=True)
class Judged:
    """A prediction beside the truth; `milliseconds` is the time it took."""

    truth: Utterance
    prediction: Prediction
    milliseconds: float

    @property
    def has_intent(self) -> bool:
        """Whether the intent is right."""
        return self.prediction.utterance.intent == self.truth.intent

    @property
    def is_exact(self) -> bool:
        """Whether the intent and all slots are right."""
        return self.has_intent and self.prediction.utterance.values() == self.truth.values()

    @property
    def is_in_scope(self) -> bool:
        """Whether the truth is one of our intents."""
        return self.truth.intent != OUT_OF_SCOPE

    def slot_counts(self) -> tuple[int, int, int]:
        """How many slots are right, how many were predicted, how many there are."""
        wanted, found = list(self.truth.values()), self.prediction.utterance.values()
        right = 0
        for value in found:
            if value in wanted:
                wanted.remove(value)
                right += 1
        return right, len(found), len(self.truth.slots)


def judge(model: IntentModel, utterances: Iterable[Utterance]) -> list[Judged]:
    """The predictions of a model, one sentence at a time; one before them is not timed."""
    judged = []
    model.predict("open the first file")
    for utterance in utterances:
        began = time.perf_counter()
        prediction = model.predict(utterance.text)
        judged.append(Judged(utterance, prediction, 1000 * (time.perf_counter() - began)))
    return judged


def summary(judged: Sequence[Judged]) -> dict[str, Any]:
    """The figures as they are recorded; shares with their 95% interval (Wilson)."""
    inside = [one for one in judged if one.is_in_scope]
    outside = [one for one in judged if not one.is_in_scope]
    times = sorted(one.milliseconds for one in judged)
    figures: dict[str, Any] = {
        "utterances": len(judged),
        "in_scope": len(inside),
        "intent_accuracy": share(sum(one.has_intent for one in inside), len(inside)),
        "exact_frame": share(sum(one.is_exact for one in inside), len(inside)),
        "slot_f1": slot_f1(inside),
        "milliseconds": {
            "p50": float(np.quantile(times, 0.5)),
            "p95": float(np.quantile(times, 0.95)),
        },
    }
    if outside:
        figures["out_of_scope_recall"] = share(sum(o.has_intent for o in outside), len(outside))
        figures["out_of_scope_auroc"] = auroc_with_interval(
            np.array([one.prediction.outside for one in outside]),
            np.array([one.prediction.outside for one in inside]),
        )
    return figures


def share(count: int, total: int) -> dict[str, Any]:
    """A proportion with its 95% interval."""
    if not total:
        return {"value": None, "interval": None, "of": 0}
    return {"value": count / total, "interval": list(wilson(count, total)), "of": total}


def slot_f1(judged: Sequence[Judged]) -> float:
    """F1 of slots over all utterances together; a slot is right with its name and its text."""
    right, found, wanted = (sum(c) for c in zip(*(o.slot_counts() for o in judged), strict=True))
    return 2 * right / (found + wanted) if found + wanted else 1.0


def auroc(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> float:
    """The probability that a positive scores above a negative one, ties counted half."""
    above = (positive[:, None] > negative).mean()
    return float(above + 0.5 * (positive[:, None] == negative).mean())


def auroc_with_interval(
    positive: NDArray[np.float64], negative: NDArray[np.float64]
) -> dict[str, Any]:
    """The AUROC with its 95% interval by resampling both sides."""
    rng = np.random.default_rng(0)
    drawn = [
        auroc(rng.choice(positive, len(positive)), rng.choice(negative, len(negative)))
        for _ in range(_RESAMPLES)
    ]
    interval = [float(bound) for bound in np.quantile(drawn, (0.025, 0.975))]
    return {"value": auroc(positive, negative), "interval": interval}


def form_of(utterance: Utterance) -> str:
    """The sentence with its slots replaced by their names, in lower case and without signs."""
    text, at = "", 0
    for slot in utterance.slots:
        text += utterance.text[at : slot.start] + f" <{slot.name}> "
        at = slot.end
    text = _SIGNS.sub(" ", (text + utterance.text[at:]).lower())
    return " ".join(text.split())
