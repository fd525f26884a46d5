"""The table at the end of `make test-attack`: what was tried, and what got through."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from midline.benchmarks.attacks.command import ROWS_VARIABLE

Row = dict[str, Any]
_ROWS = pytest.StashKey[list[Row]]()
_COLUMNS = ("attack", "tried", "through", "remark")
_HEAD = ("attack", "tried", "got through", "")


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Put a line into the table: attack, attempts, how many got through, a remark, and numbers for
    the result file."""
    rows = request.config.stash.setdefault(_ROWS, [])

    def add(attack: str, tried: int, through: int, remark: str = "", **numbers: float) -> None:
        values = (attack, tried, through, remark)
        rows.append({**dict(zip(_COLUMNS, values, strict=True)), **numbers})

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests have put into the table, and write it where that is asked for."""
    rows = terminalreporter.config.stash.get(_ROWS, [])
    if not rows:
        return
    if file := os.environ.get(ROWS_VARIABLE):
        Path(file).write_text(json.dumps(rows))
    values = (tuple(row[name] for name in _COLUMNS) for row in rows)
    table = [_HEAD, *((name, f"{n:,}", f"{through:,}", said) for name, n, through, said in values)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    terminalreporter.section("attacks")
    for cells in table:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        terminalreporter.write_line(line.rstrip())
