"""The table at the end of `make test-attack`: what was tried, and what got through."""

from collections.abc import Callable

import pytest

Row = tuple[str, int, int, str]
_ROWS = pytest.StashKey[list[Row]]()
_HEAD = ("attack", "tried", "got through", "")


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Callable[[str, int, int, str], None]:
    """Put a line into the table: attack, attempts, how many got through, a remark."""
    rows = request.config.stash.setdefault(_ROWS, [])

    def add(attack: str, tried: int, through: int, remark: str = "") -> None:
        rows.append((attack, tried, through, remark))

    return add


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what the tests have put into the table."""
    rows = terminalreporter.config.stash.get(_ROWS, [])
    if not rows:
        return
    table = [_HEAD, *((name, f"{n:,}", f"{through:,}", said) for name, n, through, said in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    terminalreporter.section("attacks")
    for cells in table:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        terminalreporter.write_line(line.rstrip())
