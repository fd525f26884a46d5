"""The parts that are measured of one subject alone: its size, and its quality in every respect."""

from collections.abc import Callable
from functools import cache
from typing import Any

from midline.benchmarks.quality.greedy_passes import CACHE_TOKENS
from midline.benchmarks.quality.quantization import (
    cursor_part,
    execution,
    perplexity,
    robustness,
    summarization,
)
from midline.benchmarks.quality.quantization.store import Subject
from midline.benchmarks.quality.quantization.study import MBXP, Study
from midline.benchmarks.quality.quantization.subjects import engine_of
from midline.model.engines.base import Engine


def measure_part(study: Study, subject: Subject, key: str) -> Any:
    """The result of the part that is kept as `key`."""
    if key == "size":
        return _size(subject)
    room = None if key in ("perplexity", "cursor") else CACHE_TOKENS

    @cache
    def engine() -> Engine:
        """Loaded once something has to be computed: what is kept may be all there is to do."""
        return engine_of(subject, study.threads, room)

    try:
        return _quality(study, subject, key, engine)
    finally:
        if engine.cache_info().currsize:
            engine().close()


def _size(subject: Subject) -> dict[str, Any]:
    files = [subject.path] if subject.path.is_file() else list(subject.path.iterdir())
    return {"bytes": sum(path.stat().st_size for path in files), "engine": subject.engine}


def _quality(study: Study, subject: Subject, key: str, engine: Callable[[], Engine]) -> Any:
    folder, amounts = study.store.of(subject), study.amounts
    if key == "perplexity":
        return perplexity.nats_of_texts(engine(), subject.sparsity)
    if key == "cursor":
        return cursor_part.exact_answers(engine(), subject.sparsity, amounts.cursors)
    if key.startswith(MBXP):
        tasks = study.tasks[key.removeprefix(MBXP)]
        return execution.summary(execution.passed(engine, subject, tasks, folder / "mbxp"))
    python = study.tasks["python"]
    if key == "summaries":
        return summarization.summaries(engine(), subject, python[: amounts.summaries])
    known = study.store.latest(subject, MBXP + "python") or {"asked": [], "passed": []}
    return robustness.robustness(
        engine, subject, python[: amounts.robust_problems], amounts.seeds, folder / "robustness",
        execution.verdicts(known),
    )  # fmt: skip
