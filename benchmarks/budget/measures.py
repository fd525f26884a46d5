"""Numbers of arms: right answers and costs, harm, rescue, intervals, areas and crossings."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from midline.benchmarks.budget.verdicts import Verdicts
from midline.model.strategies.speed import PROGRAM_SECONDS, QUESTION_SECONDS, Speed

Axis = Literal["tokens", "seconds", "flops"]
AXES: tuple[Axis, ...] = ("tokens", "seconds", "flops")
BOOTSTRAPS = 2000
SEED = 21
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Outcome:
    """Of one problem, means over resamples. harm: a right candidate was there and a wrong answer
    shown. rescue: no proposal was right and the answer is; proposals are candidates before the last
    call. oracle: a candidate is right.
    """

    passed: float
    tokens: float
    seconds: float
    flops: float
    harm: float
    rescue: float
    oracle: float


@dataclass(frozen=True)
class Measured:
    """One arm: outcomes by task id."""

    name: str
    models: str
    outcomes: Mapping[str, Outcome]

    def vector(self, field: str, ids: Sequence[str]) -> Array:
        """A field of the outcomes of `ids`, in their order."""
        return np.array([getattr(self.outcomes[id], field) for id in ids])

    def mean(self, field: str, ids: Sequence[str]) -> float:
        """Its mean."""
        return float(self.vector(field, ids).mean()) if ids else math.nan


def measured(
    rows: Iterable[Mapping[str, Any]], verdicts: Verdicts, speeds: Mapping[str, Speed]
) -> list[Measured]:
    """Arms by name and models; rows without a verdict are left out."""
    found: dict[tuple[str, str], dict[str, list[Outcome]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        outcome = _outcome(row, verdicts, speeds)
        if outcome is not None:
            found[row["arm"], row["pair"]][row["task_id"]].append(outcome)
    return [
        Measured(name, models, {id: _mean(outcomes) for id, outcomes in tasks.items()})
        for (name, models), tasks in found.items()
    ]


def _outcome(
    row: Mapping[str, Any], verdicts: Verdicts, speeds: Mapping[str, Speed]
) -> Outcome | None:
    judged = {text: verdicts.passed(row["task_id"], text) for text in row["texts"]}
    shown = row["shown"]
    if any(passed is None for passed in judged.values()) or not row["texts"]:
        return None
    passed = bool(shown is not None and judged.get(shown))
    others = [right for text, right in judged.items() if text != shown]
    proposed = any(others)
    oracle = passed or proposed
    return Outcome(
        passed=float(passed),
        tokens=sum(c["prompt_tokens"] + sum(c["generated"]) for c in row["calls"]),
        seconds=seconds_of(row, speeds),
        flops=sum(c["flops"] for c in row["calls"]),
        harm=float(proposed and not passed),
        rescue=float(passed and not proposed and len(judged) > 1 and shown == row["texts"][-1]),
        oracle=float(oracle),
    )


def seconds_of(row: Mapping[str, Any], speeds: Mapping[str, Speed]) -> float:
    """Seconds of a row's calls and executions on the machine of `speeds`; NaN without them."""
    if any(call["model"] not in speeds for call in row["calls"]):
        return math.nan
    calls = sum(
        speeds[c["model"]].call_seconds(
            c["prompt_tokens"] - c["cached_tokens"], c["generated"], c.get("drafted", False)
        )
        for c in row["calls"]
    )
    questions = len(row["calls"]) if row["programs"] else 0
    return calls + row["programs"] * PROGRAM_SECONDS + questions * QUESTION_SECONDS


def _mean(outcomes: Sequence[Outcome]) -> Outcome:
    names = Outcome.__dataclass_fields__
    return Outcome(**{n: float(np.mean([getattr(o, n) for o in outcomes])) for n in names})


def common(arms: Sequence[Measured]) -> list[str]:
    """Task ids that all arms have."""
    sets = [set(arm.outcomes) for arm in arms]
    return sorted(set.intersection(*sets)) if sets else []


def interval(values: Array) -> tuple[float, float]:
    """95% bootstrap interval of a mean over problems; NaN for none."""
    if not len(values):
        return math.nan, math.nan
    rng = np.random.default_rng(SEED)
    picks = rng.integers(len(values), size=(BOOTSTRAPS, len(values)))
    low, high = np.quantile(values[picks].mean(axis=1), [0.025, 0.975])
    return float(low), float(high)


def difference(first: Array, second: Array) -> dict[str, float]:
    """Mean of first minus second, problem by problem, with its interval."""
    low, high = interval(first - second)
    return {
        "problems": len(first),
        "difference": round(float((first - second).mean()), 4),
        "lower_bound": round(low, 4),
        "upper_bound": round(high, 4),
    }


def at_cost(
    family: Sequence[Measured], axis: Axis, cost: float, ids: Sequence[str]
) -> Array | None:
    """Right answers of a family at a mean cost: between its two nearest arms, along log cost.

    None where the family is dearer than that; its dearest arm where that is cheaper.
    """
    ordered = sorted(family, key=lambda arm: arm.mean(axis, ids))
    below = [arm for arm in ordered if arm.mean(axis, ids) <= cost]
    if not below:
        return None
    first = below[-1].vector("passed", ids)
    if len(below) == len(ordered):
        return first
    low, high = below[-1].mean(axis, ids), ordered[len(below)].mean(axis, ids)
    share = math.log(cost / low) / math.log(high / low) if low > 0 and high > low else 0.0
    return (1 - share) * first + share * ordered[len(below)].vector("passed", ids)


def area(
    family: Sequence[Measured], axis: Axis, ids: Sequence[str], ends: tuple[float, float]
) -> float:
    """Mean right answers over the logarithm of the budget between two ends.

    A family has no answers below its cheapest arm, and those of its dearest above it.
    """
    budgets = np.exp(np.linspace(math.log(ends[0]), math.log(ends[1]), 64))
    values = [at_cost(family, axis, float(budget), ids) for budget in budgets]
    return float(np.mean([0.0 if value is None else value.mean() for value in values]))


def crossings(
    first: Sequence[Measured], second: Sequence[Measured], axis: Axis, ids: Sequence[str]
) -> list[float]:
    """Budgets at which the better of two families changes, where both have answers."""
    costs = [arm.mean(axis, ids) for arm in (*first, *second)]
    start = max(min(arm.mean(axis, ids) for arm in family) for family in (first, second))
    budgets = np.exp(np.linspace(math.log(start), math.log(max(*costs, start * 1.01)), 128))
    found: list[float] = []
    sign = 0.0
    for budget in budgets:
        a, b = (at_cost(family, axis, float(budget) * 1.0001, ids) for family in (first, second))
        if a is None or b is None:
            continue
        now = float(np.sign(round(float(a.mean() - b.mean()), 6)))
        if now and sign and now != sign:
            found.append(float(budget))
        sign = now or sign
    return found
