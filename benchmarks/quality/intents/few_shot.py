"""Few-shot learning on public data: generated utterances, label noise and what resists it.

Each run of an arm is a line of a trace file; runs that are there are not done again, so that a
measurement can be stopped at any time and continued. Seeds come before arms: an interrupted
measurement has compared every arm with some of the seeds.
"""

import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from midline.benchmarks.quality.intents.generated_data import generated_file, kept_utterances
from midline.benchmarks.quality.intents.public_data import SIZES, PublicData
from midline.benchmarks.quality.intents.scores import Judged, slot_f1, summary
from midline.model.intents import student
from midline.model.intents.prediction import Prediction
from midline.model.intents.schema import OUT_OF_SCOPE, tags_of
from midline.model.intents.utterance import Slot, Utterance

SEEDS = 5
NOISES = (0.0, 0.2, 0.4)
RIVALS = ("plain", "dropout", "l2", "mixout-0.5", "mixout-0.7", "mixout-0.9", "gce", "filter")
STEPS = {"snips": 200, "clinc150": 400}
"""Of an encoder's training, whatever the size: half a minute. CLINC150 has 151 intents.

With 60 steps the loss of 70 examples of SNIPS is still 0.1 and slot F1 0.49; with 180 0.57.
"""
MOST_TESTED = {"student": 1100, "encoder": 500}
"""Test sentences of a learner, evenly spaced, of data sets that have more."""
_STUDENT_EPOCHS = (20, 12)
_FOLDS = 3


@dataclass(frozen=True)
class Arm:
    """What is learned from how much, with generated data or without, noise, and the rival."""

    data: str
    learner: str
    size: int
    generated: bool = False
    noise: float = 0.0
    rival: str = "plain"


def arms(data: PublicData, learner: str) -> Iterator[Arm]:
    """Every size without and with generated data; at the smallest every noise with every rival.

    The student has no weights to start from: its only rival is filtering.
    """
    for size in SIZES[data.name]:
        yield Arm(data.name, learner, size)
        yield Arm(data.name, learner, size, True)
    rivals = RIVALS if learner == "encoder" else ("plain", "filter")
    for noise in sorted(NOISES, reverse=True):
        for rival in rivals:
            if noise or rival != "plain":
                yield Arm(data.name, learner, SIZES[data.name][0], True, noise, rival)


@dataclass(frozen=True)
class Chosen:
    """Which arms are run: of these sizes, noises and rivals; None stands for all of them."""

    sizes: Sequence[int] | None = None
    noises: Sequence[float] | None = None
    rivals: Sequence[str] | None = None

    def has(self, arm: Arm) -> bool:
        """Whether an arm is one of them."""
        return (
            (self.sizes is None or arm.size in self.sizes)
            and (self.noises is None or arm.noise in self.noises)
            and (self.rivals is None or arm.rival in self.rivals)
        )


EVERY = Chosen()


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


def learned_from(
    arm: Arm, data: PublicData, seed: int, written: Sequence[Utterance]
) -> list[Utterance]:
    """The examples of a run; wrong labels are among the `written`, generated ones only."""
    utterances = data.few(arm.size, seed)
    if arm.generated:
        utterances = [*utterances, *noisy(written, arm.noise, data, seed)]
    return filtered(utterances, data, seed) if arm.rival == "filter" else utterances


def run_arm(arm: Arm, data: PublicData, seed: int, written: Sequence[Utterance]) -> dict[str, Any]:
    """The scores of one run on the test set."""
    began = time.perf_counter()
    learned = learned_from(arm, data, seed, written)
    test = list(data.test)
    test = test[:: -(-len(test) // MOST_TESTED[arm.learner])]
    if arm.learner == "student":
        pupil = student.learn(learned, data.intents, data.slots, seed=seed, epochs=_STUDENT_EPOCHS)
        found = [pupil.predict(u.text) for u in test]
    else:
        found = _encoded(arm, data, learned, seed, [u.text for u in test])
    judged = [Judged(u, prediction, 0.0) for u, prediction in zip(test, found, strict=True)]
    return {
        **asdict(arm),
        "seed": seed,
        "learned": len(learned),
        "tested": len(test),
        **_scores(judged, data),
        "seconds": time.perf_counter() - began,
    }


def _scores(judged: Sequence[Judged], data: PublicData) -> dict[str, Any]:
    figures = summary(judged)
    inside = [one for one in judged if one.is_in_scope]
    has_outside = OUT_OF_SCOPE in data.intents
    return {
        "intent_accuracy": figures["intent_accuracy"]["value"],
        "slot_f1": slot_f1(inside) if data.slots else None,
        "auroc": figures["out_of_scope_auroc"]["value"] if has_outside else None,
    }


def _encoded(
    arm: Arm, data: PublicData, learned: Sequence[Utterance], seed: int, texts: list[str]
) -> list[Prediction]:
    from midline.model.intents.encoder import training
    from midline.model.intents.encoder.files import fetch_encoder
    from midline.model.intents.encoder.pieces import PieceCutter
    from midline.model.intents.encoder.torch_encoder import TorchEncoder

    weights, tokenizer = fetch_encoder()
    cutter, tags = PieceCutter(tokenizer), tags_of(data.slots)
    recipe = training.Recipe(
        seed=seed, steps=STEPS[arm.data], bfloat16=True, **training.RIVALS.get(arm.rival, {})
    )
    trained = training.new_training(weights, data.intents, tags, recipe)
    trained.run(*training.prepare(learned, cutter, data.intents, tags))
    return TorchEncoder(trained, cutter).predict_many(texts)


def measure(
    data: PublicData,
    learner: str,
    trace: Path,
    seconds: float | None,
    model: str,
    seeds: int = SEEDS,
    chosen: Chosen = EVERY,
) -> list[dict[str, Any]]:
    """The runs of the trace, those added that there was time for.

    Arms with generated data are left out for seeds of which `model` has written nothing.
    """
    runs = [json.loads(line) for line in trace.read_text().splitlines()] if trace.exists() else []
    done = {(arm_of(run), run["seed"]) for run in runs}
    began = time.monotonic()
    for seed in range(seeds):
        is_written = generated_file(data.name, model, seed).is_file()
        written: list[Utterance] | None = None
        for arm in filter(chosen.has, arms(data, learner)):
            if (arm, seed) in done or (arm.generated and not is_written):
                continue
            if seconds is not None and time.monotonic() - began > seconds:
                return runs
            if arm.generated and written is None:
                written = kept_utterances(data, model, seed).utterances
            runs.append(run_arm(arm, data, seed, written or []))
            with trace.open("a") as file:
                file.write(json.dumps(runs[-1]) + "\n")
    return runs


def arm_of(run: dict[str, Any]) -> Arm:
    """The arm that a run belongs to."""
    return Arm(**{name: run[name] for name in Arm.__dataclass_fields__})
