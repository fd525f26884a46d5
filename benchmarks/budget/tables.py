"""The tables of the report: arms, and comparisons of them with plain sampling."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from midline.benchmarks.budget.measures import (
    AXES,
    Axis,
    Measured,
    area,
    at_cost,
    common,
    crossings,
    difference,
    interval,
)

PLAIN = {"none": "sampling", "first": "sampling+examples", "all": "sampling+examples"}
"""What others are compared with: sampling with the ranker, and with the examples if they run."""
CONSISTENT = ("self_consistency", "self_consistency+examples")
"""Voting on outputs alone, and among those that pass the examples, which other strategies may not
execute."""
LEAST_PROBLEMS = 5
ASKED = ("debate", "reflexion", "plan_then_code", "self_repair", "moa", "s_star", "codet")


def family_of(name: str) -> str:
    """The family of an arm: its name without numbers at the end."""
    if "moa" in name:
        return name.rsplit("-", 2)[0] + "-" + name.rsplit("-", 1)[1]
    return "sampling" if name == "greedy" else re.sub(r"(-\d+(x\d+)?)+$", "", name)


def families(arms: Sequence[Measured], models: str) -> dict[str, list[Measured]]:
    """Arms of one pair of models by family; greedy belongs to each kind of sampling, too."""
    found: dict[str, list[Measured]] = defaultdict(list)
    for arm in arms:
        if arm.models == models:
            found[family_of(arm.name)].append(arm)
    greedy = [arm for arm in arms if arm.models == models and arm.name == "greedy"]
    for name, own in found.items():
        if name.startswith(("sampling+", "self_consistency", "codet", "staged")):
            own[:0] = greedy
    return dict(found)


def arm_rows(arms: Sequence[Measured]) -> list[dict[str, Any]]:
    """A row for each arm, on all problems that it has."""
    return [_arm_row(arm) for arm in sorted(arms, key=lambda arm: (arm.models, arm.name))]


def _arm_row(arm: Measured) -> dict[str, Any]:
    ids = sorted(arm.outcomes)
    low, high = interval(arm.vector("passed", ids))
    means = {
        f: arm.mean(f, ids) for f in ("tokens", "seconds", "flops", "harm", "rescue", "oracle")
    }
    harm, rescue = arm.vector("harm", ids), arm.vector("rescue", ids)
    return {
        "arm": arm.name,
        "models": arm.models,
        "problems": len(ids),
        "passed": round(arm.mean("passed", ids), 4),
        "interval": [round(low, 4), round(high, 4)],
        **{name: round(value, 4) if value < 1e6 else round(value) for name, value in means.items()},
        "rescue_over_harm": difference(rescue, harm),
    }


def against_plain(arms: Sequence[Measured], examples: str) -> list[dict[str, Any]]:
    """Each arm less plain sampling of the same models at the same tokens, seconds, operations."""
    rows = []
    for models in dict.fromkeys(arm.models for arm in arms):
        own = families(arms, "small" if models == "both" else models)
        plain = own.get(PLAIN[examples], [])
        for arm in arms:
            if arm.models == models and arm not in plain and plain:
                rows += _against(arm, plain)
    return rows


def against_self_consistency(arms: Sequence[Measured]) -> list[dict[str, Any]]:
    """Arms that ask a model in rounds less self-consistency of the same models at the same cost."""
    rows = []
    for models in dict.fromkeys(arm.models for arm in arms):
        own = families(arms, "small" if models == "both" else models)
        for name in CONSISTENT:
            for arm in arms:
                asked = "moa" in arm.name or arm.name.startswith(ASKED)
                if arm.models == models and asked and name in own:
                    rows += [row | {"against": name} for row in _against(arm, own[name])]
    return rows


def _against(arm: Measured, plain: Sequence[Measured]) -> list[dict[str, Any]]:
    ids = common([arm, plain[0]])
    usable = [each for each in plain if set(ids) <= set(each.outcomes)]
    rows: list[dict[str, Any]] = []
    for axis in AXES:
        cost = arm.mean(axis, ids)
        if len(ids) < LEAST_PROBLEMS or not cost > 0:
            continue
        other = at_cost(usable, axis, cost, ids)
        if other is not None:
            found = difference(arm.vector("passed", ids), other)
            rows.append({"arm": arm.name, "models": arm.models, "axis": axis, "cost": cost} | found)
    return rows


def areas(arms: Sequence[Measured], axis: Axis) -> list[dict[str, Any]]:
    """Areas under the curves over log budget, for families on the problems they all have."""
    rows = []
    for models in dict.fromkeys(arm.models for arm in arms):
        own = families(arms, models)
        ids = common([arm for family in own.values() for arm in family])
        costs = [arm.mean(axis, ids) for family in own.values() for arm in family] if ids else []
        if len(ids) < LEAST_PROBLEMS or not min(costs) > 0:
            continue
        ends = (min(costs), max(costs))
        for name, family in own.items():
            value = round(area(family, axis, ids, ends), 4)
            rows.append({"family": name, "models": models, "axis": axis, "problems": len(ids),
                         "from": ends[0], "to": ends[1], "area": value})  # fmt: skip
    return rows


def crossing_points(arms: Sequence[Measured], examples: str) -> list[dict[str, Any]]:
    """Where a family and plain sampling change places."""
    rows = []
    for models in dict.fromkeys(arm.models for arm in arms):
        own = families(arms, models)
        plain = own.pop(PLAIN[examples], None)
        for name, family in own.items():
            ids = common([*family, *plain]) if plain else []
            if plain and len(ids) >= LEAST_PROBLEMS and len(family) > 1:
                for axis in AXES:
                    if min(arm.mean(axis, ids) for arm in (*family, *plain)) > 0:
                        found = [round(x, 4) for x in crossings(family, plain, axis, ids)]
                        rows.append({"family": name, "models": models, "axis": axis,
                                     "budgets": found})  # fmt: skip
    return rows


def growth(arms: Sequence[Measured]) -> list[dict[str, Any]]:
    """Of each sequential family, its most rounds less its fewest: does more budget help or harm?"""
    rows = []
    for models in dict.fromkeys(arm.models for arm in arms):
        for name, family in families(arms, models).items():
            ordered = sorted((a for a in family if a.name != "greedy"), key=lambda arm: arm.name)
            if len(ordered) > 1 and name.startswith(ASKED):
                ids = common([ordered[0], ordered[-1]])
                if len(ids) >= LEAST_PROBLEMS:
                    found = difference(
                        ordered[-1].vector("passed", ids), ordered[0].vector("passed", ids)
                    )
                    rows.append({"from": ordered[0].name, "to": ordered[-1].name,
                                 "models": models} | found)  # fmt: skip
    return rows


def dominated(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Arms that plain sampling beats at equal seconds, interval below 0: no default by the rule."""
    return sorted(
        f"{row['arm']} ({row['models']})"
        for row in rows
        if row["axis"] == "seconds" and row["upper_bound"] < 0
    )


def rank_agreement(arms: Sequence[Measured], examples: str) -> dict[str, Any]:
    """Rankings of arms by their lead over plain sampling at equal tokens and at equal seconds."""
    rows = against_plain(arms, examples)
    leads: dict[str, dict[str, float]] = defaultdict(dict)
    for row in rows:
        leads[row["axis"]][f"{row['arm']} ({row['models']})"] = row["difference"]
    names = sorted(set(leads["tokens"]) & set(leads["seconds"]))
    ranked = {
        axis: sorted(names, key=lambda name: -leads[axis][name]) for axis in ("tokens", "seconds")
    }
    return {"arms": len(names), "spearman": _spearman(ranked, names), **ranked}


def _spearman(ranked: Mapping[str, Sequence[str]], names: Sequence[str]) -> float | None:
    count = len(names)
    if count < 3:
        return None
    squares = sum((ranked["tokens"].index(n) - ranked["seconds"].index(n)) ** 2 for n in names)
    return round(1 - 6 * squares / (count * (count**2 - 1)), 3)
