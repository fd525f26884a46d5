"""MBXP problems completed and executed: pass@1, paired by problem with the reference."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.mbxp.actions.run import chosen_tasks
from midline.benchmarks.mbxp.statistics import paired_difference, wilson
from midline.benchmarks.mbxp.tasks import Task
from midline.benchmarks.quality.greedy_passes import MAX_TOKENS, greedy_passes
from midline.benchmarks.quality.quantization.store import Subject
from midline.benchmarks.quality.quantization.subjects import options_of
from midline.model.decoding.options import SamplingOptions
from midline.model.engines.base import Engine


def problems(pool: Mapping[str, Task], language: str, limit: int) -> list[Task]:
    """The first `limit` problems of a language."""
    return chosen_tasks(pool, [language], limit, common=False)


def passed(
    engine: Callable[[], Engine],
    subject: Subject,
    tasks: Sequence[Task],
    folder: Path,
    workers: int = 1,
) -> dict[str, int]:
    """1 for each task that a greedy completion passes, 0 for the others; by task id.

    engine: loads it, and is called where something has to be generated. Samples and verdicts are
    kept in `folder`: what is there is neither generated nor executed again.
    """
    about = {"model": subject.path.name, "recipe": subject.name}

    def ready() -> tuple[Engine, SamplingOptions]:
        return engine(), options_of(subject, MAX_TOKENS)

    return greedy_passes(ready, tasks, folder, about, workers)


def summary(found: Mapping[str, int]) -> dict[str, Any]:
    """Problems, share passed and its interval of 95%, and what passed, for pairing."""
    count, total = sum(found.values()), len(found)
    return {
        "problems": total,
        "pass": round(count / max(1, total), 4),
        "interval": [round(end, 4) for end in wilson(count, total)],
        "passed": sorted(task for task, ok in found.items() if ok),
        "asked": sorted(found),
    }


def against(found: Mapping[str, Any], reference: Mapping[str, Any]) -> dict[str, Any] | None:
    """The difference from the reference on the problems that both were asked (McNemar)."""
    both = sorted(set(found["asked"]) & set(reference["asked"]))
    if not both:
        return None
    own, other = set(found["passed"]), set(reference["passed"])
    return paired_difference([(int(task in own), int(task in other)) for task in both])


def verdicts(found: Mapping[str, Any]) -> dict[str, int]:
    """1 for each task of `asked` that is in `passed` too, 0 for the others."""
    passed_ones = set(found["passed"])
    return {name: int(name in passed_ones) for name in found["asked"]}


def of_lists(found: Mapping[str, Any]) -> dict[str, Any]:
    """The summary of `asked` and `passed` alone."""
    return summary(verdicts(found))
