"""MBXP problems completed greedily and executed once: 1 for each that passes, 0 for the others."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.mbxp.generate import STREAMS, TASK_TOKENS, Generator, pending
from midline.benchmarks.mbxp.samples import GeneratedFile
from midline.benchmarks.mbxp.session import EvaluationOptions, evaluate_into
from midline.benchmarks.mbxp.tasks import Task
from midline.model.decoding.options import SamplingOptions
from midline.model.engines.base import Engine

MAX_TOKENS = 320
CACHE_TOKENS = STREAMS * TASK_TOKENS


def greedy_passes(
    ready: Callable[[], tuple[Engine, SamplingOptions]],
    tasks: Sequence[Task],
    folder: Path,
    about: dict[str, Any] | None = None,
    workers: int = 1,
) -> dict[str, int]:
    """By task id. Samples and verdicts are kept in `folder`: what is there is not made again.

    ready: an engine with its options, called where something has to be generated. about: what is
    recorded beside the verdicts.
    """
    file, known = GeneratedFile(folder), {task.task_id: task for task in tasks}
    waiting = pending(tasks, 1, file)
    if waiting:
        engine, options = ready()
        Generator(engine, options, file).run(waiting, known, lambda _: None)
    summary = evaluate_into(folder, file.samples(known), EvaluationOptions(workers=workers), about)
    return {result.task_id: int(result.status == "pass") for result in summary.results}
