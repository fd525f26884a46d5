"""Pieces of `mbxp run` and `mbxp evaluate` for the workers of a Ray cluster."""

import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from midline.benchmarks.mbxp.evaluate import Evaluation
from midline.benchmarks.mbxp.results import RESULTS, Result, ResultFile, read_results
from midline.benchmarks.mbxp.samples import GeneratedFile, Sample
from midline.benchmarks.mbxp.tasks import Task
from midline.model.engines.base import Engine, SamplingOptions
from midline.model.sandbox import choose

SAMPLES_A_TASK, PROBLEMS_A_TASK = 16, 8


@dataclass(frozen=True)
class ToExecute:
    """Samples for one worker, and how to execute them."""

    samples: Sequence[Sample]
    sandbox: str | None
    unsafe: bool
    corrections: Collection[str]


@dataclass(frozen=True)
class ToGenerate:
    """Problems for one worker, where its examples come from, and how to sample."""

    model: str
    options: SamplingOptions
    tasks: Sequence[Task]
    pool: Mapping[str, Task]
    shots: int
    threads: int | None


def execute_there(work: ToExecute) -> list[Result]:
    """The verdicts on the samples, in a sandbox of the worker's machine."""
    with tempfile.TemporaryDirectory(prefix="midline-ray-") as name:
        with ResultFile(Path(name)) as results:
            sandbox = choose(work.sandbox, unsafe=work.unsafe)
            Evaluation(sandbox, results, 1, work.corrections).run(work.samples)
        return list(read_results(Path(name) / RESULTS))


def generate_there(work: ToGenerate) -> list[dict[str, Any]]:
    """Rows of samples.jsonl for the problems."""
    from midline.benchmarks.mbxp.generate import Generator

    with tempfile.TemporaryDirectory(prefix="midline-ray-") as name:
        file = GeneratedFile(Path(name))
        engine = _engine(work.model, work.threads)
        Generator(engine, work.options, file, work.shots).run(
            work.tasks, work.pool, lambda task: None
        )
        return file.rows


@cache
def _engine(model: str, threads: int | None) -> Engine:
    """One a worker process, kept for its next task."""
    from midline.benchmarks.mbxp.generate import STREAMS, TASK_TOKENS
    from midline.model.engines.load import load_engine

    return load_engine(model, threads=threads, cache_tokens=STREAMS * TASK_TOKENS)
