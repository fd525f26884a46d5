"""The parts that are measured of one subject alone: its size, and its quality in every respect."""

from typing import Any

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
    cache = None if key in ("perplexity", "cursor") else execution.CACHE_TOKENS
    engine = engine_of(subject, study.threads, cache)
    try:
        return _quality(study, subject, key, engine)
    finally:
        engine.close()


def _size(subject: Subject) -> dict[str, Any]:
    files = [subject.path] if subject.path.is_file() else list(subject.path.iterdir())
    return {"bytes": sum(path.stat().st_size for path in files), "engine": subject.engine}


def _quality(study: Study, subject: Subject, key: str, engine: Engine) -> Any:
    folder, amounts = study.store.of(subject), study.amounts
    if key == "perplexity":
        return perplexity.nats_of_texts(engine, subject.sparsity)
    if key == "cursor":
        return cursor_part.exact_answers(engine, subject.sparsity, amounts.cursors)
    if key.startswith(MBXP):
        tasks = study.tasks[key.removeprefix(MBXP)]
        return execution.summary(execution.passed(engine, subject, tasks, folder / "mbxp"))
    python = study.tasks["python"]
    if key == "summaries":
        return summarization.summaries(engine, subject, python[: amounts.summaries])
    known = study.store.latest(subject, MBXP + "python") or {"asked": [], "passed": []}
    return robustness.robustness(
        engine, subject, python[: amounts.robust_problems], amounts.seeds, folder / "robustness",
        execution.verdicts(known),
    )  # fmt: skip
