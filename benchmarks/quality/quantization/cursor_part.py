"""Exact answers at the marked cursors of `quality cursor`, paired by cursor."""

from typing import Any

from midline.benchmarks.quality.cursor.cases import load_cases
from midline.benchmarks.quality.cursor.measure import IN_USE, examine
from midline.model.engines.base import Engine


def exact_answers(engine: Engine, sparsity: float) -> dict[str, Any]:
    """Places asked and places answered exactly, in the prompt layout in use."""
    rows = examine(engine, load_cases(), IN_USE, sparsity)
    return {
        "asked": sorted(row.place for row in rows),
        "passed": sorted(row.place for row in rows if row.exact),
    }
