"""Differences are paired by seed, and each arm has the right one to be compared with."""

from dataclasses import asdict
from typing import Any

from midline.benchmarks.quality.intents.comparison import differences, lines, table
from midline.benchmarks.quality.intents.few_shot import Arm

PLAIN = Arm("snips", "encoder", 10)
GENERATED = Arm("snips", "encoder", 10, True)
NOISY = Arm("snips", "encoder", 10, True, 0.4)
MIXOUT = Arm("snips", "encoder", 10, True, 0.4, "mixout-0.7")


def runs(arm: Arm, values: list[float]) -> list[dict[str, Any]]:
    return [
        {**asdict(arm), "seed": n, "learned": 70, "intent_accuracy": v, "slot_f1": v, "auroc": None}
        for n, v in enumerate(values)
    ]


def test_every_arm_is_compared_with_its_own() -> None:
    every = [
        *runs(PLAIN, [0.5, 0.7, 0.6]), *runs(GENERATED, [0.6, 0.8, 0.7]),
        *runs(NOISY, [0.4, 0.5]), *runs(MIXOUT, [0.5, 0.5, 0.9]),
    ]  # fmt: skip
    generated, noisy, mixout = differences(every)
    assert abs(generated["intent_accuracy"]["value"] - 0.1) < 1e-9
    low, high = generated["intent_accuracy"]["interval"]
    assert high - low < 1e-9, "every seed differs by the same"
    assert generated["auroc"] is None and noisy["against"] == "no generated data"
    assert (mixout["against"], mixout["seeds"]) == ("plain", 2)
    assert mixout["intent_accuracy"]["interval"] is None, "two seeds have no interval"


def test_means_have_intervals_from_three_seeds_on() -> None:
    (row,) = table(runs(PLAIN, [0.5, 0.7, 0.6]))
    low, high = row["slot_f1"]["interval"]
    assert low < 0.4 < 0.8 < high and row["learned"] == 70
    (line,) = lines([row])
    assert "slot_f1 0.600 [" in line and "3 seeds" in line
