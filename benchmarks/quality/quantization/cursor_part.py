"""Exact answers at the marked cursors of `quality cursor`, paired by cursor."""

from collections.abc import Sequence
from typing import Any

from midline.benchmarks.quality.cursor.cases import CursorCase, load_cases
from midline.benchmarks.quality.cursor.measure import IN_USE, examine
from midline.model.engines.base import Engine


def exact_answers(engine: Engine, sparsity: float, count: int) -> dict[str, Any]:
    """Places asked and places answered exactly, in the prompt layout in use."""
    rows = examine(engine, spread(load_cases(), count), IN_USE, sparsity)
    return {
        "asked": sorted(row.place for row in rows),
        "passed": sorted(row.place for row in rows if row.exact),
    }


def spread(cases: Sequence[CursorCase], count: int) -> list[CursorCase]:
    """`count` of the cases, at equal steps through all projects; all where there are no more."""
    step = max(1.0, len(cases) / count)
    return [cases[int(i * step)] for i in range(min(count, len(cases)))]
