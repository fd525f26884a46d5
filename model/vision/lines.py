"""Lines of text within a pane, by the ink of its rows.

Letters stand on the baseline: below it the ink of a row falls, and at the height of an `x` it
rises. Lines of code are evenly spaced, so that the baseline of a line without letters (`}`, `^^^`)
follows from its neighbours'.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from midline.model.vision.ink import Ink
from midline.model.vision.line_image import LineBox
from midline.model.vision.regions import runs

LEAST_LEADING, MOST_LEADING = 7, 72
_FAINT = 0.08
_FRAME, _TRACE = 3, 0.02
_RULE_SHARE = 0.75
_LEAST_EVENNESS = 0.15
_LEAST_FITTING, _LEAST_ON_GRID = 0.3, 0.6
_STEP_COST = 12.0

Profile = NDArray[np.float64]


@dataclass(frozen=True)
class _Spacing:
    """Rows from line to line, and how evenly the lines of a block are spaced, 0 to 1."""

    leading: float
    evenness: float


def find_lines(ink: Ink) -> list[LineBox]:
    """The lines of a pane's ink [rows, columns], from top to bottom, in its pixels."""
    clean = without_rules(ink)
    found: list[LineBox] = []
    for top, bottom in _blocks(clean):
        part = clean[top:bottom]
        found += [
            LineBox(b.left, b.right, b.baseline + top, b.x_height) for b in _block_lines(part)
        ]
    return found


def without_rules(ink: Ink) -> Ink:
    """The ink without faint traces, and without straight lines across the pane or on its sides."""
    ink = _without_frame(ink)
    clean = np.where(ink > _FAINT, ink, np.float32(0))
    inked = clean > 0
    rows, columns = ink.shape
    if columns > 60:
        clean[inked.mean(axis=1) > _RULE_SHARE] = 0
    if rows > 60:
        clean[:, inked.mean(axis=0) > _RULE_SHARE] = 0
    return clean


def _without_frame(ink: Ink) -> Ink:
    """The ink without rows and columns beside the sides that are inked, however faintly, in most
    places: what a cut left of a frame."""
    clean = ink.copy()
    for side in (slice(0, _FRAME), slice(-_FRAME, None)):
        if ink.shape[0] > 60:
            clean[:, side][:, (ink[:, side] > _TRACE).mean(axis=0) > 0.5] = 0
        if ink.shape[1] > 60:
            clean[side][(ink[side] > _TRACE).mean(axis=1) > 0.5] = 0
    return clean


def _blocks(ink: Ink) -> list[tuple[int, int]]:
    """Rows between which several lines' height is empty: headings and code differ in size."""
    filled = np.asarray(ink > 0).any(axis=1)
    spans = list(runs(np.asarray(filled)))
    if not spans:
        return []
    heights = sorted(end - start for start, end in spans)
    gap = max(3.2 * heights[len(heights) // 2], 14)
    blocks = [spans[0]]
    for start, end in spans[1:]:
        if start - blocks[-1][1] > gap:
            blocks.append((start, end))
        else:
            blocks[-1] = (blocks[-1][0], end)
    margin = 4
    return [(max(a - margin, 0), min(b + margin, ink.shape[0])) for a, b in blocks]


def _block_lines(ink: Ink) -> list[LineBox]:
    profile = ink.sum(axis=1, dtype=np.float64)
    baselines, leading = _baselines(profile, _spacing(profile))
    if not baselines:
        return []
    x_height, shift = _x_height(profile, baselines, leading)
    if x_height < 2.5:
        return []
    boxes = (_box(ink, y + shift, x_height) for y in baselines)
    return [box for box in boxes if box is not None]


def _baselines(profile: Profile, spacing: _Spacing) -> tuple[list[int], float]:
    """Evenly spaced baselines and their distance; those of the runs of rows with ink where lines
    are not even, with the height of a line that the runs let expect."""
    separate = _separate_baselines(profile)
    if spacing.evenness < _LEAST_EVENNESS:
        even = separate
    else:
        even = _even_baselines(profile, spacing.leading)
    even = [y for y in even if _has_ink(profile, y, spacing.leading)]
    if len(separate) > 1.4 * len(even):
        steps = np.diff(separate)
        return separate, float(np.median(steps)) if len(steps) else spacing.leading
    if len(even) > 1.4 * len(separate) > 0 and not _is_apart(profile, even):
        return separate, _line_height(profile)
    return even, spacing.leading


def _line_height(profile: Profile) -> float:
    """What rows a line takes, by the runs of rows with ink."""
    heights = [end - start for start, end in runs(profile > 0)]
    return float(np.clip(np.median(heights) * 1.35, LEAST_LEADING, MOST_LEADING))


def _falls(profile: Profile) -> Profile:
    """How much less ink the next row has: large at a baseline."""
    return np.maximum(profile - np.append(profile[1:], 0), 0)


def _spacing(profile: Profile) -> _Spacing:
    """Rows from line to line: by the runs of rows with ink, or else by the profile's period."""
    by_period = _period(profile)
    by_runs = _run_spacing(profile)
    if by_runs is None:
        return by_period
    times = by_runs.leading / by_period.leading
    is_multiple = times > 1.5 and abs(times - round(times)) < 0.06 * times
    return by_period if is_multiple else by_runs


def _run_spacing(profile: Profile) -> _Spacing | None:
    """The spacing of lines between which rows are empty; None where few are or they differ.

    A line's run may lack letters (`^^^`), and lines may be left out: most steps, in whole lines,
    have to agree.
    """
    baselines = _separate_baselines(profile)
    if len(baselines) < 3:
        return None
    steps = np.diff(baselines).astype(np.float64)
    rough = float(np.median(steps))
    lines = np.maximum(np.round(steps / rough), 1)
    leading = float(np.median(steps / lines))
    fits = np.abs(steps - lines * leading) <= max(0.07 * leading, 1.01)
    heights = [end - start for start, end in runs(profile > 0)]
    is_line = LEAST_LEADING <= leading <= MOST_LEADING and np.median(heights) < 1.05 * leading
    if not is_line or fits.mean() < _LEAST_FITTING:
        return None
    leading = float(steps[fits].sum() / lines[fits].sum())
    share = _on_grid(np.array(baselines), leading)
    return _Spacing(leading, share) if share >= _LEAST_ON_GRID else None


def _on_grid(baselines: NDArray[np.int64], leading: float) -> float:
    """The largest share of the baselines that are whole lines apart."""
    apart = (baselines[:, None] - baselines[None, :]) / leading
    off = np.abs(apart - np.round(apart)) * leading
    return float((off <= max(0.09 * leading, 1.3)).mean(axis=1).max())


def _period(profile: Profile) -> _Spacing:
    """The period of the baselines; for a single line, its height."""
    fallback = _line_height(profile)
    most = min(MOST_LEADING, len(profile) - 1)
    if most <= LEAST_LEADING + 2:
        return _Spacing(fallback, 0)
    falls = _falls(profile)
    capped = np.minimum(falls, np.quantile(falls, 0.92))  # long lines count as much as short ones
    smooth = np.convolve(np.sqrt(capped), [0.5, 1, 0.5], "same")
    centred = smooth - smooth.mean()
    power = float(centred @ centred) or 1.0
    lags = np.arange(LEAST_LEADING - 1, most)
    scores = np.array([centred[:-lag] @ centred[lag:] / power for lag in lags])
    inner = scores[1:-1]
    is_peak = (inner >= scores[:-2]) & (inner >= scores[2:]) & (inner > 0.3 * inner.max())
    peaks = [_Spacing(*_vertex(lags, scores, int(n) + 1)) for n in np.flatnonzero(is_peak)]
    apart = (p for p in peaks if _is_apart(profile, _even_baselines(profile, p.leading)))
    best = max(peaks, key=lambda p: p.evenness, default=_Spacing(fallback, 0))
    return next(apart, best)


def _vertex(lags: NDArray[np.int64], scores: Profile, n: int) -> tuple[float, float]:
    """Place and height of a peak, to a part of a row by a parabola."""
    bend = scores[n - 1] - 2 * scores[n] + scores[n + 1]
    part = 0.5 * (scores[n - 1] - scores[n + 1]) / bend if bend else 0.0
    return float(lags[n] + part), float(scores[n])


def _is_apart(profile: Profile, baselines: list[int]) -> bool:
    """Whether most lines have nearly empty rows between them: strokes of letters have none."""
    gaps = []
    for above, below in pairwise(y for y in baselines if y > 0):
        inks = [profile[max(y - 2, 0) : y + 1].mean() for y in (above, below)]
        if min(inks) > 0 and below - above > 2:
            gaps.append(profile[above + 1 : below].min() < 0.2 * min(inks))
    return bool(gaps) and float(np.mean(gaps)) > 0.75


def _separate_baselines(profile: Profile) -> list[int]:
    """One baseline for each run of rows with ink: the row at whose lower edge most ink ends."""
    falls = _falls(profile)
    return [
        start + int(np.argmax(falls[start:end]))
        for start, end in runs(profile > 0)
        if end - start >= 4
    ]


def _even_baselines(profile: Profile, leading: float) -> list[int]:
    """The chain of rows about `leading` apart at whose lower edges most ink ends.

    Found by dynamic programming: a step that differs from `leading` costs its square. A line
    without letters gets its baseline from its neighbours'.
    """
    falls = np.sqrt(_falls(profile))
    falls /= max(float(np.quantile(falls, 1 - 1 / leading)), 1e-6)
    gains = np.minimum(falls, 2.0)
    steps = np.arange(max(round(0.82 * leading), 4), round(1.18 * leading) + 1)
    costs = _STEP_COST * ((steps - leading) / leading) ** 2
    totals, origin = gains.copy(), np.full(len(gains), -1)
    first = int(steps[0])
    for top in range(first, len(gains), first):  # no row of a stretch is a step from another
        rows = np.arange(top, min(top + first, len(gains)))
        sources = rows[:, None] - steps
        values = np.where(sources >= 0, totals[np.maximum(sources, 0)] - costs, -np.inf)
        best = values.argmax(axis=1)
        most = values[np.arange(len(rows)), best]
        goes_on = most > 0
        totals[rows[goes_on]] += most[goes_on]
        origin[rows[goes_on]] = rows[goes_on] - steps[best[goes_on]]
    y = len(gains) - round(leading) + int(np.argmax(totals[-round(leading) :]))
    chain = []
    while y >= 0:
        chain.append(int(y))
        y = int(origin[y])
    return _in_step(np.array(chain[::-1]))


def _in_step(chain: NDArray[np.int64]) -> list[int]:
    """The chain with rows that are out of step put where their neighbours say.

    The lower edge of `^^^` holds much ink, and is no baseline.
    """
    if len(chain) < 5:
        return [int(y) for y in chain]
    step = (chain[-1] - chain[0]) / (len(chain) - 1)
    found = []
    for n, y in enumerate(chain):
        near = range(max(n - 2, 0), min(n + 3, len(chain)))
        expected = float(np.median([chain[m] + (n - m) * step for m in near]))
        found.append(int(y) if abs(y - expected) <= 1.3 else round(expected))
    return found


def _x_height(profile: Profile, baselines: list[int], leading: float) -> tuple[float, float]:
    """Height of an `x`, and how far below the rows' lower edge the baseline lies, both in pixels.

    The rows around all baselines are added up. Between the ink of ascenders alone and that of
    whole letters lies the top of the `x`, to a part of a row by its share of ink.
    """
    above, below = round(leading * 0.85), round(leading * 0.3)
    total = np.zeros(above + below + 1)
    padded = np.pad(profile, (above, below))
    for y in baselines:
        rows = padded[y : y + above + below + 1]
        total += rows / (rows.max() or 1)
    low, high = round(leading * 0.27), int(leading * 0.57)
    tops = np.arange(max(above - high, 1), above - low + 1)
    if len(tops) == 0:
        return 0.0, 0.0
    rises = total[tops] - total[tops - 1]
    top = int(tops[np.argmax(rises)])
    body = float(np.median(total[top : above + 1]))
    ascenders = float(total[max(top - 2, 0)])
    part = np.clip((total[top - 1] - ascenders) / max(body - ascenders, 1e-9), 0, 0.9)
    under = np.clip(
        (total[above + 1] - total[min(above + 2, len(total) - 1)]) / max(body, 1e-9), 0, 0.9
    )
    return float(above - top + 1 + part + under), float(1 + under)


def _has_ink(profile: Profile, baseline: float, step: float) -> bool:
    top, bottom = round(baseline - 0.62 * step), round(baseline - 0.02 * step)
    rows = profile[max(top, 0) : max(bottom, 0)]
    return bool(rows.sum() > 0.6)


def _box(ink: Ink, baseline: float, x_height: float) -> LineBox | None:
    top, bottom = round(baseline - 1.55 * x_height), round(baseline + 0.35 * x_height)
    columns = np.flatnonzero(ink[max(top, 0) : max(bottom, 0)].sum(axis=0) > 0.2)
    if len(columns) == 0:
        return None
    margin = x_height * 0.6
    return LineBox(float(columns[0]) - margin, float(columns[-1]) + 1 + margin, baseline, x_height)
