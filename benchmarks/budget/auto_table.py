"""The table that `--strategy auto` chooses from, made of what was measured on the tuning half."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass
from typing import Any

import numpy as np

from midline.benchmarks.budget.arms import BOTH, LARGE, SMALL
from midline.benchmarks.budget.measures import Measured, seconds_of
from midline.benchmarks.budget.verdicts import Verdicts
from midline.model.strategies.auto import Part, Row, Share
from midline.model.strategies.speed import Speed

LEAST_TUNING_PROBLEMS = 60
"""On fewer tuning problems an arm is not measured well enough to be chosen."""
PARTS = 10
"""Of a curve."""


@dataclass(frozen=True)
class Candidate:
    """An arm that may be a default. executes: whether candidates are executed in it."""

    arm: Measured
    strategy: str
    parameters: Mapping[str, Any]
    executes: bool


def table_rows(
    candidates: Iterable[Candidate],
    rows: Mapping[tuple[str, str], Sequence[Mapping[str, Any]]],
    tuning: set[str],
    roles: Mapping[str, str],
    part_of: Callable[[Mapping[str, Any]], Part],
) -> list[dict[str, Any]]:
    """Rows of `auto.json`; `rows` are those of each arm's problems, `roles` of models by name.

    part_of: the cost of a row in seconds and its answers' verdicts.
    """
    found = []
    for candidate in candidates:
        ids = sorted(tuning & set(candidate.arm.outcomes))
        own = [r for r in rows[candidate.arm.name, candidate.arm.models] if r["task_id"] in tuning]
        if len(ids) < LEAST_TUNING_PROBLEMS or not own:
            continue
        row = Row(
            strategy=candidate.strategy,
            parameters=candidate.parameters,
            models=candidate.arm.models,
            executes=candidate.executes,
            passed=round(candidate.arm.mean("passed", ids), 4),
            calls=_profile(own, roles, candidate.arm.models),
            programs=round(float(np.mean([r["programs"] for r in own])), 2),
            questions=_mean([len(r["calls"]) if r["programs"] else 0 for r in own]),
            curve=_curve([part_of(r) for r in own]),
        )  # fmt: skip
        found.append(asdict(row))
    return found


def part_of(row: Mapping[str, Any], verdicts: Verdicts, speeds: Mapping[str, Speed]) -> Part:
    """A row's seconds and verdicts, and those of the first answer that it has."""
    first = {**row, "calls": row["calls"][:1], "programs": min(1, row["programs"])}
    return Part(
        seconds_of(row, speeds), float(bool(verdicts.passed(row["task_id"], row["shown"] or ""))),
        seconds_of(first, speeds),
        float(bool(row["texts"] and verdicts.passed(row["task_id"], row["texts"][0]))),
    )  # fmt: skip


def _curve(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Means of parts of equal size, from the cheapest problems to the dearest; none without speeds.

    Costs are in units of the mean.
    """
    ordered = np.array(sorted(map(astuple, parts)))
    mean = ordered[:, 0].mean()
    if not np.isfinite(mean) or mean <= 0:
        return ()
    ordered[:, [0, 2]] /= mean
    pieces = np.array_split(ordered, min(PARTS, len(ordered)))
    return tuple(Part(*(round(float(x), 4) for x in piece.mean(axis=0))) for piece in pieces)


def _profile(
    rows: Sequence[Mapping[str, Any]], roles: Mapping[str, str], models: str
) -> tuple[Share, ...]:
    """The calls of an arm: of each place in the order of calls, its share and average sizes."""
    by_place: dict[tuple[int, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        for place, call in enumerate(row["calls"]):
            by_place[place, call["model"]].append(call)
    return tuple(
        Share(
            model=_role(model, roles, models),
            share=round(len(calls) / len(rows), 4),
            prompt_tokens=_mean([c["prompt_tokens"] for c in calls]),
            new_tokens=_mean([c["prompt_tokens"] - c["cached_tokens"] for c in calls]),
            lengths=_lengths(calls),
            drafted=any(c.get("drafted", False) for c in calls),
        )
        for (_, model), calls in sorted(by_place.items())
    )


def _role(model: str, roles: Mapping[str, str], models: str) -> str:
    return roles.get(model, SMALL) if models == BOTH else LARGE if models == LARGE else SMALL


def _lengths(calls: Sequence[Mapping[str, Any]]) -> tuple[float, ...]:
    """Average lengths of the shortest completion, the next one, and so on."""
    most = max(len(call["generated"]) for call in calls)
    ordered = [sorted(call["generated"]) for call in calls if len(call["generated"]) == most]
    return tuple(round(float(each), 1) for each in np.mean(ordered, axis=0))


def _mean(values: Sequence[float]) -> float:
    return round(float(np.mean(values)), 1)
