"""A bar chart of pass@1 per language with intervals, written as SVG without a library."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from midline.benchmarks.mbxp.languages import NAMES

WIDTH, ROW, LEFT, TOP, RIGHT = 720, 26, 110, 56, 60
COLOURS = ("#3b6ea5", "#c8792b")
STYLE = "font-family:sans-serif;font-size:12px"


def bar_chart(reports: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    """SVG with a group of bars per language, one bar per (name, report); at most two reports."""
    names = [n for n in NAMES if any(_row(report, n) for _, report in reports)]
    group = ROW * len(reports) + 8
    height = TOP + group * len(names) + 24
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'style="{STYLE}">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        _text(LEFT, 18, "MBXP pass@1 in percent, with 95% Wilson intervals"),
    ]
    parts += _legend([name for name, _ in reports]) + _grid(height)
    for place, name in enumerate(names):
        top = TOP + place * group
        parts.append(_text(LEFT - 8, top + (group - 8) / 2 + 4, name, "end"))
        for number, (_, report) in enumerate(reports):
            row = _row(report, name)
            if row:
                parts.append(_bar(row, top + number * ROW, COLOURS[number % len(COLOURS)]))
    return "\n".join([*parts, "</svg>", ""])


def _row(report: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    rows = [row for row in report["languages"] if row["language"] == name]
    return rows[0] if rows and "1" in rows[0]["pass_at_k"] else None


def _bar(row: Mapping[str, Any], top: float, colour: str) -> str:
    score = row["pass_at_k"]["1"]
    low, high = (_x(bound) for bound in row["interval"])
    middle = top + (ROW - 6) / 2
    return (
        f'<rect x="{LEFT}" y="{top}" width="{_x(score) - LEFT:.1f}" height="{ROW - 6}" '
        f'fill="{colour}" fill-opacity="0.75"/>'
        f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {middle - 4}v8M{high:.1f} '
        f'{middle - 4}v8" stroke="#222" fill="none"/>'
        + _text(high + 6, middle + 4, f"{100 * score:.1f} (n={row['tasks']})")
    )


def _grid(height: float) -> list[str]:
    lines = []
    for percent in range(0, 101, 20):
        x = _x(percent / 100)
        lines.append(f'<path d="M{x} {TOP - 6}V{height - 20}" stroke="#ccc"/>')
        lines.append(_text(x, height - 6, str(percent), "middle"))
    return lines


def _legend(names: Sequence[str]) -> list[str]:
    parts = []
    for number, name in enumerate(names):
        x = LEFT + number * 260
        parts.append(f'<rect x="{x}" y="28" width="12" height="12" fill="{COLOURS[number]}"/>')
        parts.append(_text(x + 18, 38, name))
    return parts


def _x(score: float) -> float:
    return LEFT + score * (WIDTH - LEFT - RIGHT)


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
