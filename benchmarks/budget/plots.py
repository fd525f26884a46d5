"""Curves of right answers over the logarithm of a budget, as SVG without a library."""

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 460, 56, 210, 36, 44
COLOURS = ("#3b6ea5", "#c8792b", "#4a8f4a", "#a5453b", "#7a5ea8", "#5b8f8f", "#8f7a3b", "#555555",
           "#b05a8f", "#2b7a78", "#886644", "#334466")  # fmt: skip
STYLE = "font-family:sans-serif;font-size:12px"
Curve = Sequence[tuple[float, float]]


def curves(title: str, unit: str, lines: Mapping[str, Curve]) -> str:
    """SVG with a curve of (budget, share of right answers) for each name."""
    points = [point for line in lines.values() for point in line if point[0] > 0]
    low, high = min(x for x, _ in points), max(x for x, _ in points)
    bottom, top = min(y for _, y in points), max(y for _, y in points)
    frame = _Frame((low, max(high, low * 1.1)), (max(0.0, bottom - 0.03), min(1.0, top + 0.03)))
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
        f'style="{STYLE}">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>',
        _text(LEFT, 20, title),
        _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 8, unit, "middle"),
        *frame.grid(),
    ]
    for number, (name, line) in enumerate(lines.items()):
        parts += frame.curve(name, sorted(line), number)
    return "\n".join([*parts, "</svg>", ""])


class _Frame:
    """The plotted ranges: budgets by their logarithm, shares as they are."""

    def __init__(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        self.x, self.y = x, y

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Where a point lies in the picture."""
        across = math.log(x / self.x[0]) / math.log(self.x[1] / self.x[0])
        up = (y - self.y[0]) / (self.y[1] - self.y[0])
        return (
            LEFT + across * (WIDTH - LEFT - RIGHT),
            HEIGHT - BOTTOM - up * (HEIGHT - TOP - BOTTOM),
        )

    def grid(self) -> list[str]:
        """Lines at tens of percent, and at powers of two."""
        parts = []
        for percent in range(0, 101, 5):
            if self.y[0] <= percent / 100 <= self.y[1]:
                _, y = self.place(self.x[0], percent / 100)
                parts.append(f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#ddd"/>')
                parts.append(_text(LEFT - 6, y + 4, f"{percent}%", "end"))
        exponent = math.ceil(math.log2(self.x[0]))
        while 2.0**exponent <= self.x[1]:
            x, _ = self.place(2.0**exponent, self.y[0])
            parts.append(f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#eee"/>')
            parts.append(_text(x, HEIGHT - BOTTOM + 16, f"{2.0**exponent:g}", "middle"))
            exponent += 1
        return parts

    def curve(self, name: str, line: Curve, number: int) -> list[str]:
        """A curve, its points and its entry in the legend."""
        colour = COLOURS[number % len(COLOURS)]
        places = [self.place(x, y) for x, y in line if x > 0]
        path = "L".join(f"{x:.1f} {y:.1f}" for x, y in places)
        top = TOP + 16 * number
        return [
            f'<path d="M{path}" stroke="{colour}" fill="none" stroke-width="1.6"/>',
            *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in places),
            f'<rect x="{WIDTH - RIGHT + 12}" y="{top}" width="10" height="10" fill="{colour}"/>',
            _text(WIDTH - RIGHT + 28, top + 9, name),
        ]


def _text(x: float, y: float, text: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
