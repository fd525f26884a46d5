"""Pieces of `budget run` for the workers of a Ray cluster: the live arms of some problems."""

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from midline.benchmarks.budget.arms import Arm
from midline.benchmarks.budget.live import CALLS, LIVE, OBSERVED, Live, Models
from midline.benchmarks.budget.recorded_engine import SharedModel
from midline.benchmarks.budget.store import Store, read_rows
from midline.benchmarks.mbxp.tasks import Task
from midline.model.engines.base import Engine
from midline.model.sandbox import choose

PROBLEMS_A_TASK = 4


@dataclass(frozen=True)
class ToRun:
    """Problems for one worker, the arms with their models, and what they may execute."""

    tasks: Sequence[Task]
    work: Sequence[tuple[Arm, str]]
    small: str | None
    large: str | None
    sandbox: str | None
    examples: str
    threads: int | None


def run_there(piece: ToRun) -> dict[str, list[dict[str, Any]]]:
    """Rows of live.jsonl, observed.jsonl and the kept calls, by the name of their file."""
    with tempfile.TemporaryDirectory(prefix="midline-ray-") as name:
        folder = Path(name)
        models = Models(
            _shared(piece.small, piece.threads, folder), _shared(piece.large, piece.threads, folder)
        )
        live = Live(folder, models, choose(piece.sandbox), piece.examples)
        live.run(piece.tasks, piece.work, lambda task: None)
        files = [LIVE, OBSERVED]
        files += [CALLS.format(model) for model in (piece.small, piece.large) if model]
        return {file: list(read_rows(folder / file)) for file in files}


def keep(out: Path, rows: dict[str, list[dict[str, Any]]]) -> None:
    """Append to the files under `out` what they do not have yet."""
    for file, found in rows.items():
        store = Store(out / file)
        for row in found:
            if row["key"] not in store:
                store.add(row["key"], {name: row[name] for name in row if name != "key"})


def _shared(model: str | None, threads: int | None, folder: Path) -> SharedModel | None:
    if model is None:
        return None
    return SharedModel(_engine(model, threads), Store(folder / CALLS.format(model)))


@cache
def _engine(model: str, threads: int | None) -> Engine:
    """One a worker process, kept for its next task."""
    from midline.model.engines.load import load_engine

    return load_engine(model, threads=threads, cache_tokens=1 << 15)
