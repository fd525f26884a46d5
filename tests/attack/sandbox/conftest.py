"""The table at the end: attempts by isolation, user and language, and how many succeeded."""

from collections import defaultdict

import pytest

HEAD = ("isolation", "user", "language", "attempts", "succeeded", "not possible here")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Count the tests of escapes and of forged verdicts, if there were many."""
    counts: dict[tuple[str, ...], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for outcome in ("passed", "failed", "skipped", "error"):
        for report in terminalreporter.stats.get(outcome, []):
            row = _row(getattr(report, "nodeid", ""))
            if row is not None and (outcome != "passed" or report.when == "call"):
                counts[row][outcome] += 1
    if sum(sum(row.values()) for row in counts.values()) < 100:
        return
    rows = [HEAD, *(_cells(row, counts[row]) for row in sorted(counts))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    terminalreporter.section("attacks on the sandbox")
    for cells in rows:
        line = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        terminalreporter.write_line(line.rstrip())


def _row(node: str) -> tuple[str, ...] | None:
    words = node.partition("[")[2].split("-")
    if "test_no_escape[" in node:
        return words[0], words[1], words[2]
    if "test_no_forged_verdict[" in node:
        return "verdict", "", words[0]
    return None


def _cells(row: tuple[str, ...], count: dict[str, int]) -> tuple[str, ...]:
    failed = count["failed"] + count["error"]
    made = count["passed"] + failed
    return (*row, str(made), str(failed), str(count["skipped"]))
