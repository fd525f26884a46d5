"""Few-shot learning on public data: sizes, label noise and what resists it, with seeds.

Each run of an arm is a line of a trace file; runs that are there are not done again, so that a
measurement can be stopped at any time and continued.
"""

import json
import random
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from midline.benchmarks.quality.intents.public_data import SIZES, PublicData
from midline.benchmarks.quality.intents.scores import Judged, slot_f1, summary
from midline.model.intents import student
from midline.model.intents.prediction import IntentModel
from midline.model.intents.schema import tags_of
from midline.model.intents.utterance import Slot, Utterance

SEEDS = 5
NOISES = (0.0, 0.2, 0.4)
RIVALS = ("plain", "dropout", "l2", "mixout-0.5", "mixout-0.7", "mixout-0.9", "gce", "filter")
_T = 2.776
"""The 97.5% quantile of Student's t with four degrees of freedom."""
_STUDENT_EPOCHS = (20, 12)
_FOLDS = 3


@dataclass(frozen=True)
class Arm:
    """What is learned from how much, with how many wrong labels, against which rival."""

    data: str
    learner: str
    size: int
    noise: float = 0.0
    rival: str = "plain"


def arms(data: PublicData, learner: str) -> Iterator[Arm]:
    """Every size without noise, and at the smallest size every noise with every rival.

    The student has no weights to start from: its only rival is filtering.
    """
    for size in SIZES[data.name]:
        yield Arm(data.name, learner, size)
    rivals = RIVALS if learner == "encoder" else ("plain", "filter")
    smallest = SIZES[data.name][-1 if data.name == "clinc150" else 0]
    for noise in NOISES:
        for rival in rivals:
            if noise or rival != "plain":
                yield Arm(data.name, learner, smallest, noise, rival)


def noisy(
    utterances: Sequence[Utterance], share: float, data: PublicData, seed: int
) -> list[Utterance]:
    """The utterances, a share of their intents and of their slots' names replaced by others."""
    rng = random.Random(seed)
    return [_spoiled(u, share, data, rng) for u in utterances]


def _spoiled(u: Utterance, share: float, data: PublicData, rng: random.Random) -> Utterance:
    intent = u.intent
    if rng.random() < share:
        intent = rng.choice([other for other in data.intents if other != intent])
    slots = tuple(
        Slot(rng.choice([n for n in data.slots if n != s.name]), s.start, s.end)
        if rng.random() < share and len(data.slots) > 1
        else s
        for s in u.slots
    )
    return Utterance(u.text, intent, slots)


def filtered(utterances: Sequence[Utterance], data: PublicData, seed: int) -> list[Utterance]:
    """Those whose intent a student agrees with that has not seen them (round trip, three folds)."""
    kept: list[Utterance] = []
    order = list(utterances)
    random.Random(seed).shuffle(order)
    for fold in range(_FOLDS):
        others = [u for n, u in enumerate(order) if n % _FOLDS != fold]
        model = student.learn(others, data.intents, data.slots, seed=seed, epochs=_STUDENT_EPOCHS)
        own = order[fold::_FOLDS]
        kept += [u for u in own if model.predict(u.text).utterance.intent == u.intent]
    return kept or order


def run_arm(arm: Arm, data: PublicData, seed: int) -> dict[str, Any]:
    """The scores of one run on the whole test set."""
    began = time.perf_counter()
    learned = noisy(data.few(arm.size, seed), arm.noise, data, seed)
    if arm.rival == "filter":
        learned = filtered(learned, data, seed)
    model = _learned(arm, data, learned, seed)
    judged = [Judged(u, model.predict(u.text), 0.0) for u in data.test]
    figures = summary(judged)
    scores = {
        "intent_accuracy": figures["intent_accuracy"]["value"],
        "slot_f1": slot_f1([one for one in judged if one.is_in_scope]) if data.slots else None,
        "auroc": figures.get("out_of_scope_auroc", {}).get("value"),
    }
    return {**asdict(arm), "seed": seed, **scores, "seconds": time.perf_counter() - began}


def _learned(arm: Arm, data: PublicData, utterances: Sequence[Utterance], seed: int) -> IntentModel:
    if arm.learner == "student":
        return student.learn(
            utterances, data.intents, data.slots, seed=seed, epochs=_STUDENT_EPOCHS
        )
    from midline.model.intents.encoder import training
    from midline.model.intents.encoder.files import fetch_encoder
    from midline.model.intents.encoder.pieces import PieceCutter
    from midline.model.intents.encoder.torch_encoder import TorchEncoder

    weights, tokenizer = fetch_encoder()
    cutter, tags = PieceCutter(tokenizer), tags_of(data.slots)
    recipe = training.Recipe(seed=seed, **training.RIVALS.get(arm.rival, {}))
    trained = training.new_training(weights, data.intents, tags, recipe)
    trained.run(*training.prepare(utterances, cutter, data.intents, tags))
    return TorchEncoder(trained, cutter)


def measure(
    data: PublicData, learner: str, trace: Path, seconds: float | None
) -> list[dict[str, Any]]:
    """The runs of the trace, those added that there was time for."""
    runs = [json.loads(line) for line in trace.read_text().splitlines()] if trace.exists() else []
    done = {_key(run) for run in runs}
    began = time.monotonic()
    for arm in arms(data, learner):
        for seed in range(SEEDS):
            if _key({**asdict(arm), "seed": seed}) in done:
                continue
            if seconds is not None and time.monotonic() - began > seconds:
                return runs
            runs.append(run_arm(arm, data, seed))
            with trace.open("a") as file:
                file.write(json.dumps(runs[-1]) + "\n")
    return runs


def _key(run: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(run[name] for name in ("data", "learner", "size", "noise", "rival", "seed"))


def table(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each arm the means of its seeds, with 95% intervals once there are all of them."""
    grouped: dict[tuple[Any, ...], list[dict[str, Any]]] = {}
    for run in runs:
        grouped.setdefault(_key(run)[:-1], []).append(run)
    return [
        dict(zip(("data", "learner", "size", "noise", "rival"), key, strict=True))
        | {"seeds": len(own)}
        | {name: _mean(own, name) for name in ("intent_accuracy", "slot_f1", "auroc")}
        for key, own in grouped.items()
    ]


def _mean(runs: Sequence[dict[str, Any]], name: str) -> dict[str, Any] | None:
    values = [run[name] for run in runs if run[name] is not None]
    if not values:
        return None
    mean = statistics.fmean(values)
    if len(values) < SEEDS:
        return {"value": mean, "interval": None}
    half = _T * statistics.stdev(values) / len(values) ** 0.5
    return {"value": mean, "interval": [mean - half, mean + half]}
