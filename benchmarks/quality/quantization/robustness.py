"""Robustness after ReCode: pass@1 on perturbed problems, in the worst of several seeds.

robust: problems that pass under every seed. relative drop: of the problems that pass unchanged,
the share that a seed makes fail.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.mbxp.statistics import paired_difference
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
    engine: Callable[[], Engine],
    subject: Subject,
    tasks: Sequence[Task],
    seeds: int,
    folder: Path,
    known: Mapping[str, int],
) -> dict[str, Outcome]:
    """The outcomes of each family; samples and verdicts are kept in `folder`.

    known: verdicts of unchanged problems. Seeds that change a problem into the same text share one
    completion, which greedy decoding would only repeat.
    """
    found = {}
    halves = [half for task in tasks if (half := half_solved(task))]
    bases = {
        "half": (halves, passed(engine, subject, halves, folder / "half")),
        "whole": (tasks, _unchanged(engine, subject, tasks, folder / "whole", known)),
    }
    for family in FAMILIES:
        base, nominal = bases["half" if family in IN_CODE else "whole"]
        verdicts = {_text(task): nominal[task.task_id] for task in base}
        runs = [nominal]
        for seed in range(seeds):
            changed = [perturbed(task, family, seed) for task in base]
            fresh = [task for task in changed if _text(task) not in verdicts]
            new = passed(engine, subject, fresh, folder / f"{family}-{seed}") if fresh else {}
            verdicts |= {_text(task): new[task.task_id] for task in fresh}
            runs.append({task.task_id: verdicts[_text(task)] for task in changed})
        found[family] = {task.task_id: [run[task.task_id] for run in runs] for task in base}
    return found


def _unchanged(
    engine: Callable[[], Engine],
    subject: Subject,
    tasks: Sequence[Task],
    folder: Path,
    known: Mapping[str, int],
) -> dict[str, int]:
    left = [task for task in tasks if task.task_id not in known]
    new = passed(engine, subject, left, folder) if left else {}
    return {task.task_id: known.get(task.task_id, new.get(task.task_id, 0)) for task in tasks}


def _text(task: Task) -> tuple[str, str]:
    """What decides a greedy completion and its verdict."""
    return task.prompt, task.test


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


def against(
    found: Mapping[str, Outcome], reference: Mapping[str, Outcome]
) -> dict[str, Any] | None:
    """Robust passes less the reference's, paired by problem and family (McNemar); None without
    a common one."""
    pairs = [
        (int(all(row[1:])), int(all(reference[family][task][1:])))
        for family, outcome in found.items()
        for task, row in outcome.items()
        if task in reference.get(family, {})
    ]
    return paired_difference(pairs) if pairs else None
