"""Robustness after ReCode: pass@1 on perturbed problems, in the worst of several seeds.

robust: problems that pass under every seed. relative drop: of the problems that pass unchanged,
the share that a seed makes fail.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.mbxp.tasks import Task
from midline.benchmarks.quality.quantization.execution import passed
from midline.benchmarks.quality.quantization.perturbations import (
    FAMILIES,
    IN_CODE,
    half_solved,
    perturbed,
)
from midline.benchmarks.quality.quantization.store import Subject
from midline.model.engines.base import Engine

Outcome = dict[str, list[int]]
"""By task id: whether it passed unchanged, and then under each seed."""


def robustness(
    engine: Engine, subject: Subject, tasks: Sequence[Task], seeds: int, folder: Path
) -> dict[str, Outcome]:
    """The outcomes of each family; samples and verdicts are kept in `folder`."""
    found = {}
    halves = [half for task in tasks if (half := half_solved(task))]
    for family in FAMILIES:
        base = halves if family in IN_CODE else list(tasks)
        runs = [passed(engine, subject, base, folder / ("half" if family in IN_CODE else "whole"))]
        for seed in range(seeds):
            changed = [perturbed(task, family, seed) for task in base]
            runs.append(passed(engine, subject, changed, folder / f"{family}-{seed}"))
        found[family] = {task.task_id: [run[task.task_id] for run in runs] for task in base}
    return found


def scores(found: Mapping[str, Outcome]) -> dict[str, dict[str, Any]]:
    """Of each family: problems, pass@1 unchanged, robust pass@1, and the relative drop."""
    return {family: _scores(list(outcome.values())) for family, outcome in found.items()}


def _scores(rows: Sequence[Sequence[int]]) -> dict[str, Any]:
    nominal = sum(row[0] for row in rows)
    robust = sum(all(row[1:]) for row in rows)
    total = max(1, len(rows))
    return {
        "problems": len(rows),
        "seeds": len(rows[0]) - 1 if rows else 0,
        "nominal": round(nominal / total, 4),
        "robust": round(robust / total, 4),
        "relative_drop": round(1 - robust / nominal, 4) if nominal else None,
    }
