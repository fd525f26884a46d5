"""From characters at places to lines of text: the grid of monospaced type, indentation, gutters.

In a pane of monospaced type all characters stand on one grid. Its pitch and origin are estimated
from all characters of the pane together, and a character's column follows from its place: spaces
and indentation are counted, not guessed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from midline.model.vision.recognizer import Mark

LEAST_ALIGNMENT = 0.6
"""How well characters agree on a grid (1 if all do), so that it is taken for one."""
_NUMBER = re.compile(r"^( *)(\d{1,6})(?: ?[│|:])?(?: |$)")


@dataclass(frozen=True)
class ReadLine:
    """The characters of a line, in pixels of the pane, and where the line is."""

    marks: Sequence[Mark]
    baseline: float
    x_height: float

    @property
    def confidence(self) -> float:
        """Mean probability of the characters; 0 for none."""
        return float(np.mean([m.probability for m in self.marks])) if self.marks else 0.0


@dataclass(frozen=True)
class Grid:
    """Columns of monospaced type: the middle of column 0, and how well the grid fits, 0 to 1."""

    pitch: float
    origin: float
    alignment: float

    def column(self, at: float) -> int:
        """The column of a character."""
        return max(round((at - self.origin) / self.pitch), 0)


@dataclass(frozen=True)
class PaneText:
    """Lines as they stand in a pane; `numbers` are those of a gutter that was removed."""

    lines: list[str]
    numbers: list[int | None] = field(default_factory=list)
    columns: int = 0

    @property
    def text(self) -> str:
        """The lines joined."""
        return "\n".join(self.lines)


def estimate_grid(lines: Sequence[ReadLine]) -> Grid | None:
    """The grid that most characters of the lines stand on; None for too few characters."""
    places = [np.array([m.at for m in line.marks]) for line in lines if len(line.marks) > 1]
    if not places:
        return None
    steps = np.concatenate([np.diff(p) for p in places])
    x_height = float(np.median([line.x_height for line in lines]))
    steps = steps[(steps > 0.6 * x_height) & (steps < 1.9 * x_height)]
    if len(steps) == 0:
        return None
    rough = float(np.median(steps))
    steps = steps[np.abs(steps - rough) < 0.3 * rough]
    rough = float(np.mean(steps))
    return _refined(np.concatenate(places), rough, _per_line(places))


def _per_line(places: Sequence[NDArray[np.float64]]) -> float:
    return float(max(p[-1] - p[0] for p in places))


def _refined(at: NDArray[np.float64], rough: float, span: float) -> Grid:
    """The pitch near `rough` at which the phases of all places agree best."""
    reach = 0.06
    count = int(np.clip(4 * 2 * reach * span / rough, 40, 400))
    pitches = rough * np.linspace(1 - reach, 1 + reach, count)
    waves = np.exp(2j * np.pi * at[None, :] / pitches[:, None])
    sums = waves.sum(axis=1)
    best = int(np.argmax(np.abs(sums)))
    fine = pitches[best] * np.linspace(1 - reach / count * 2, 1 + reach / count * 2, 41)
    sums = np.exp(2j * np.pi * at[None, :] / fine[:, None]).sum(axis=1)
    best = int(np.argmax(np.abs(sums)))
    pitch = float(fine[best])
    origin = float(np.angle(sums[best]) / (2 * np.pi) * pitch) % pitch
    return Grid(pitch, origin, float(np.abs(sums[best]) / len(at)))


def lay_out(lines: Sequence[ReadLine]) -> PaneText:
    """The text of a pane: lines on the grid, empty lines where they are, no gutter of numbers."""
    texts = _with_empty_lines(lines, [t for group in _like_sized(lines) for t in _texts(group)])
    columns = max((len(t) for t in texts), default=0)
    texts, numbers = without_numbers(texts)
    left = min((len(t) - len(t.lstrip()) for t in texts if t.strip()), default=0)
    return PaneText([t[left:].rstrip() for t in texts], numbers, columns)


def _like_sized(lines: Sequence[ReadLine]) -> list[list[ReadLine]]:
    """Runs of lines whose type is of one size: each has a grid of its own."""
    groups: list[list[ReadLine]] = []
    for line in lines:
        if groups and 0.88 < line.x_height / groups[-1][-1].x_height < 1.14:
            groups[-1].append(line)
        else:
            groups.append([line])
    return groups


def _texts(lines: Sequence[ReadLine]) -> list[str]:
    grid = estimate_grid(lines)
    if grid is None or grid.alignment < LEAST_ALIGNMENT:
        return [_proportional(line, grid) for line in lines]
    return [_on_grid(line, grid) for line in lines]


def _on_grid(line: ReadLine, grid: Grid) -> str:
    cells: dict[int, Mark] = {}
    for mark in line.marks:
        column = grid.column(mark.at)
        other = cells.get(column)
        if other is not None:
            column = _free(cells, column, mark, grid)
        if column not in cells or cells[column].probability < mark.probability:
            cells[column] = mark
    columns = range(max(cells, default=-1) + 1)
    return "".join(cells[c].character if c in cells else " " for c in columns)


def _free(cells: dict[int, Mark], column: int, mark: Mark, grid: Grid) -> int:
    """The column beside a taken one, if the character leans that way."""
    lean = (mark.at - grid.origin) / grid.pitch - column
    beside = column + (1 if lean > 0 else -1)
    return beside if abs(lean) > 0.2 and beside not in cells else column


def _proportional(line: ReadLine, grid: Grid | None) -> str:
    """Spaces where gaps are wide: for type that is not monospaced."""
    pitch = grid.pitch if grid else line.x_height * 1.1
    parts: list[str] = []
    before: Mark | None = None
    for mark in line.marks:
        if before is not None and mark.at - before.at > 1.5 * pitch:
            parts.append(" ")
        parts.append(mark.character)
        before = mark
    return "".join(parts)


def _with_empty_lines(lines: Sequence[ReadLine], texts: list[str]) -> list[str]:
    """One empty line for each that is left out between evenly spaced ones."""
    steps = np.diff([line.baseline for line in lines])
    if len(steps) == 0:
        return texts
    leading = float(np.median(steps))
    found = [texts[0]]
    for step, text in zip(steps, texts[1:], strict=True):
        found += [""] * min(max(round(step / leading) - 1, 0), 3)
        found.append(text)
    return found


def without_numbers(texts: list[str]) -> tuple[list[str], list[int | None]]:
    """The lines without a gutter of line numbers, if there is one, and the numbers in it."""
    matches = [_NUMBER.match(t) for t in texts]
    filled = [m for m, t in zip(matches, texts, strict=True) if t.strip()]
    found = [int(m[2]) for m in filled if m]
    ends = {m.end(2) for m in filled if m}
    rising = sum(b - a == 1 for a, b in pairwise(found))
    is_gutter = len(found) >= 3 and len(found) >= 0.7 * len(filled) and rising >= 0.6 * len(found)
    if not is_gutter or len(ends) > 2:
        return texts, [None] * len(texts)
    width = max(m.end() for m in filled if m)
    numbers = [int(m[2]) if m else None for m in matches]
    return [t[width:] if len(t) > width else "" for t in texts], numbers
