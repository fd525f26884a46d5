"""Means of arms over seeds, and paired differences between arms, with intervals of Student's t."""

import statistics
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from midline.benchmarks.quality.intents.few_shot import Arm, arm_of
from midline.benchmarks.student_t import student_t

MEASURES = ("intent_accuracy", "slot_f1", "auroc")
LEAST_SEEDS = 3
Runs = dict[Arm, dict[int, dict[str, Any]]]


def grouped(runs: Sequence[dict[str, Any]]) -> Runs:
    """Runs by arm and seed."""
    found: Runs = {}
    for run in runs:
        found.setdefault(arm_of(run), {})[run["seed"]] = run
    return found


def table(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each arm the means of its seeds, with 95% intervals from `LEAST_SEEDS` seeds on."""
    return [
        {**asdict(arm), "seeds": len(own), "learned": round(_mean(own, "learned"))}
        | {name: _interval([run[name] for run in own.values()]) for name in MEASURES}
        for arm, own in grouped(runs).items()
    ]


def _mean(own: dict[int, dict[str, Any]], name: str) -> float:
    return statistics.fmean(run[name] for run in own.values())


def differences(runs: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What each arm with generated data adds to the one it is compared with, seed by seed.

    Plain training without noise is compared with the same size without generated data; with noise,
    and with a rival, with plain training on the same noise.
    """
    found = grouped(runs)
    rows = []
    for arm, own in found.items():
        if not arm.generated:
            continue
        is_rival = arm.rival != "plain"
        base = replace(arm, rival="plain") if is_rival else replace(arm, generated=False, noise=0.0)
        both = sorted(own.keys() & found.get(base, {}).keys())
        pairs = {
            name: [own[s][name] - found[base][s][name] for s in both if own[s][name] is not None]
            for name in MEASURES
        }
        if both:
            against = "plain" if is_rival else "no generated data"
            rows.append(
                {**asdict(arm), "against": against, "seeds": len(both)}
                | {name: _interval(values) for name, values in pairs.items()}
            )
    return rows


def _interval(values: Sequence[float | None]) -> dict[str, Any] | None:
    known = [value for value in values if value is not None]
    if not known:
        return None
    mean = statistics.fmean(known)
    if len(known) < LEAST_SEEDS:
        return {"value": mean, "interval": None}
    half = student_t(len(known) - 1) * statistics.stdev(known) / len(known) ** 0.5
    return {"value": mean, "interval": [mean - half, mean + half]}


def lines(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The rows of `table` or `differences`, one a line."""
    said = []
    for row in rows:
        kind = "generated" if row["generated"] else "examples"
        name = f"{row['data']} {row['learner']} {row['size']:>2} {kind:<9}"
        name += f" noise {row['noise']:.1f} {row['rival']:<10} {row['seeds']} seeds"
        if "against" in row:
            name += f", less {row['against']}"
        said.append(name + "".join(_said(n, row[n]) for n in MEASURES if row[n]))
    return said


def _said(name: str, found: dict[str, Any]) -> str:
    text = f"  {name} {found['value']:.3f}"
    if found["interval"]:
        low, high = found["interval"]
        text += f" [{low:.3f}, {high:.3f}]"
    return text
