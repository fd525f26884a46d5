"""Panes of a screen, found in the picture reduced: the lowest step of the ladder.

A pane ends where a straight edge runs along it, or where a broad strip is empty; a window is found
by two edges of the same height. A horizontal cut is made only along a thin rule, where the ground
has another colour from there on, or where it lets a vertical cut be made: the highlight of a line
divides no text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from midline.model.vision.ink import Ink, ink_of, most_of_channels
from midline.model.vision.opening import Picture, pillow

LOW_SIDE = 1000
"""The longer side of the reduced picture, in pixels, at most."""
_EDGE = 5
_EDGE_SHARE = 0.8
_RULE_SHARE = 0.97
_RULE_ROWS = 3
_WINDOW_SHARE = 0.3
_GROUND = 10
_EMPTY_STRIP = 24
_MIN_SIDE = 8
_MAX_DEPTH = 6


@dataclass(frozen=True)
class Region:
    """A rectangle of the picture, in its pixels; right and bottom lie outside."""

    left: int
    top: int
    right: int
    bottom: int

    @property
    def area(self) -> int:
        """Pixels."""
        return (self.right - self.left) * (self.bottom - self.top)

    def of(self, pixels: NDArray) -> NDArray:  # type: ignore[type-arg]
        """The part of an array of pixels that lies in the region, and nothing else."""
        return pixels[self.top : self.bottom, self.left : self.right]


def reduced(picture: Picture) -> tuple[Picture, int]:
    """The picture at the lowest step, and how many times smaller it is."""
    factor = -(-max(picture.shape[:2]) // LOW_SIDE)
    if factor == 1:
        return picture, 1
    return np.asarray(pillow().fromarray(picture).reduce(factor)), factor


def find_regions(picture: Picture) -> list[Region]:
    """Panes with ink in them, from top to bottom and left to right, in pixels of `picture`."""
    low, factor = reduced(picture)
    rows, columns = low.shape[:2]
    page = _Page(low, ink_of(low))
    found = page.cut(Region(0, 0, columns, rows), 0)
    full_rows, full_columns = picture.shape[:2]
    whole = [
        Region(
            r.left * factor,
            r.top * factor,
            min(r.right * factor, full_columns),
            min(r.bottom * factor, full_rows),
        )
        for r in found
    ]
    return sorted(whole, key=lambda r: (r.top, r.left))


class _Page:
    """Sums along rows and columns of edges and ink, so that any rectangle is looked up."""

    def __init__(self, picture: Picture, ink: Ink) -> None:
        self._picture = picture
        across, down = (_edges(picture, axis) for axis in (1, 0))
        self._across_edges = across
        self._vertical = _summed(across, 0)
        self._horizontal = _summed(down, 1)
        self._ink_down = _summed(ink > 0.1, 0)
        self._ink_across = _summed(ink > 0.1, 1)

    def cut(self, region: Region, depth: int) -> list[Region]:
        """The panes within a region."""
        if min(region.right - region.left, region.bottom - region.top) < _MIN_SIDE:
            return []
        if not self._ink_rows(region).any():
            return []
        parts = [] if depth >= _MAX_DEPTH else self._divided(region)
        if not parts:
            return [region]
        return [pane for part in parts for pane in self.cut(part, depth + 1)]

    def _divided(self, region: Region) -> list[Region]:
        parts = self._columns(region) or self._around_window(region)
        if parts:
            return parts
        rule = self._rule(region)
        if rule is not None:
            above, below = rule
            upper = Region(region.left, region.top, region.right, above)
            return [upper, Region(region.left, below, region.right, region.bottom)]
        for place in self._row_cuts(region):
            upper = Region(region.left, region.top, region.right, place)
            lower = Region(region.left, place, region.right, region.bottom)
            if self._grounds_differ(upper, lower) or self._columns(upper) or self._columns(lower):
                return [upper, lower]
        return []

    def _rule(self, region: Region) -> tuple[int, int] | None:
        """First row of a thin line across the whole region, and the row below it."""
        edges = self._horizontal[:, region.right] - self._horizontal[:, region.left]
        share = edges[region.top : region.bottom] / (region.right - region.left)
        rows = np.flatnonzero(share >= _RULE_SHARE)
        rows = rows[(rows >= _MIN_SIDE) & (rows <= region.bottom - region.top - _MIN_SIDE)]
        for above, below in pairwise(int(y) for y in rows):
            if below - above <= _RULE_ROWS:
                return region.top + above, region.top + below
        return None

    def _grounds_differ(self, upper: Region, lower: Region) -> bool:
        """Whether two parts have grounds of unlike colours; that of a lone line counts for none."""
        grounds = [_middle_colour(part.of(self._picture)) for part in (upper, lower)]
        return bool(np.abs(grounds[0] - grounds[1]).max() > _GROUND)

    def _columns(self, region: Region) -> list[Region]:
        """The region divided from left to right, if an edge or an empty strip does it."""
        height = region.bottom - region.top
        if height < 3 * _MIN_SIDE:
            return []
        edges = self._vertical[region.bottom] - self._vertical[region.top]
        share = edges[region.left : region.right] / height
        places = [region.left + int(x) for x in np.flatnonzero(share >= _EDGE_SHARE)]
        places = [x for x in places if region.left + 2 < x < region.right - 2]
        places = places or self._strips(region)
        if not places:
            return []
        bounds = [region.left, *places, region.right]
        return [
            Region(left, region.top, right, region.bottom)
            for left, right in pairwise(bounds)
            if right - left >= _MIN_SIDE
        ]

    def _around_window(self, region: Region) -> list[Region]:
        """The region divided along the sides of a window that is smaller than it."""
        height, width = region.bottom - region.top, region.right - region.left
        least = max(round(_WINDOW_SHARE * height), 3 * _MIN_SIDE)
        part = self._across_edges[region.top : region.bottom, region.left : region.right]
        sides = []
        for x in np.flatnonzero(part.sum(axis=0) >= least):
            start, end = max(runs(part[:, x]), key=lambda run: run[1] - run[0])
            if end - start >= least:
                sides.append((int(x), start, end))
        for left, start, end in sides:
            for right, other_start, other_end in reversed(sides):
                is_wide = right - left >= _WINDOW_SHARE * width
                if is_wide and max(abs(start - other_start), abs(end - other_end)) <= _RULE_ROWS:
                    return _divided_around(region, (left, start, right, end))
        return []

    def _strips(self, region: Region) -> list[int]:
        """Middles of broad empty strips with several rows of ink on both sides."""
        ink = (self._ink_down[region.bottom] - self._ink_down[region.top])[
            region.left : region.right
        ]
        middles = []
        for start, end in runs(ink == 0):
            is_inside = start > 0 and end < len(ink)
            if is_inside and end - start >= _EMPTY_STRIP:
                x = region.left + (start + end) // 2
                left = Region(region.left, region.top, x, region.bottom)
                right = Region(x, region.top, region.right, region.bottom)
                if all(len(list(runs(self._ink_rows(side)))) >= 3 for side in (left, right)):
                    middles.append(x)
        return middles

    def _ink_rows(self, region: Region) -> NDArray[np.bool_]:
        counts = self._ink_across[:, region.right] - self._ink_across[:, region.left]
        return np.asarray(counts[region.top : region.bottom] > 0)

    def _row_cuts(self, region: Region) -> Iterator[int]:
        width = region.right - region.left
        edges = self._horizontal[:, region.right] - self._horizontal[:, region.left]
        share = edges[region.top : region.bottom] / width
        for y in np.flatnonzero(share >= _EDGE_SHARE):
            if _MIN_SIDE <= y <= region.bottom - region.top - _MIN_SIDE:
                yield region.top + int(y)
        for start, end in runs(~self._ink_rows(region)):
            if end - start >= _EMPTY_STRIP // 2 and start > 0:
                yield region.top + (start + end) // 2


def _divided_around(region: Region, window: tuple[int, int, int, int]) -> list[Region]:
    """The parts above, beside and below a window, and it; its sides are relative to the region."""
    left, right = region.left + window[0], region.left + window[2]
    top, bottom = region.top + window[1], region.top + window[3]
    parts = (
        Region(region.left, region.top, region.right, top),
        Region(region.left, top, left, bottom),
        Region(left, top, right, bottom),
        Region(right, top, region.right, bottom),
        Region(region.left, bottom, region.right, region.bottom),
    )
    return [p for p in parts if p.right - p.left >= _MIN_SIDE and p.bottom - p.top >= _MIN_SIDE]


def _edges(picture: Picture, axis: int) -> NDArray[np.bool_]:
    """Where a pixel differs from the one before it in a row (1) or a column (0)."""
    before = picture[:, :-1] if axis else picture[:-1]
    after = picture[:, 1:] if axis else picture[1:]
    difference = np.maximum(before, after)
    difference -= np.minimum(before, after)
    found = np.zeros(picture.shape[:2], np.bool_)
    (found[:, 1:] if axis else found[1:])[...] = most_of_channels(difference) > _EDGE
    return found


def _middle_colour(picture: Picture) -> NDArray[np.int16]:
    """The median of each channel."""
    counts = [np.bincount(picture[..., n].ravel(), minlength=256).cumsum() for n in range(3)]
    half = (picture.shape[0] * picture.shape[1] - 1) // 2
    return np.array([np.searchsorted(c, half, side="right") for c in counts], np.int16)


def _summed(values: NDArray[np.bool_], axis: int) -> NDArray[np.int32]:
    shape = list(values.shape)
    shape[axis] = 1
    zero = np.zeros(shape, np.int32)
    return np.concatenate([zero, np.cumsum(values, axis=axis, dtype=np.int32)], axis=axis)


def runs(flags: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    """Start and end of each run of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    yield from ((int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True))
