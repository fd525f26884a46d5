"""A plot of points with names, each name where it hides neither a point nor another name."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

from midline.model.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.text import Annotation
    from matplotlib.transforms import Bbox

PLACES = ((5, 4, "left"), (5, -11, "left"), (-5, 4, "right"), (-5, -11, "right"))
"""Offsets of a name from its point, in points, and how it is aligned; the first is liked best."""
_DOT = 5
"""Half the size of a point's box, in pixels."""


def plot(path: Path, points: list[tuple[str, float, float]], axis: str) -> None:
    """Quality against a cost, one point for each subject. Raises UsageError without matplotlib."""
    try:
        import matplotlib as mpl
    except ModuleNotFoundError as error:
        raise UsageError(
            "plots need the package matplotlib: install Midline with the extra `study`"
        ) from error
    mpl.use("agg")
    mpl.rcParams["svg.hashsalt"] = "midline"
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 5))
    for _, x, y in points:
        axes.plot(x, y, "o", color="tab:blue")
    axes.margins(0.08)
    axes.set_xlabel(axis)
    axes.set_ylabel("MBXP Python, pass@1 in percent")
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.draw_without_rendering()  # settles where the points are
    name_points(axes, points)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)


def name_points(axes: "Axes", points: list[tuple[str, float, float]]) -> "list[Annotation]":
    """Writes the names beside their points, each at the first of `PLACES` that is free.

    The figure has been drawn once with the points.
    """
    taken = [_box_of_point(axes, x, y) for _, x, y in points]
    names = []
    for name, x, y in points:
        tried = []
        for dx, dy, align in PLACES:
            found: Any = axes.annotate(
                name, (x, y), textcoords="offset points", xytext=(dx, dy), ha=align, fontsize=8
            )
            box = found.get_window_extent()
            inside = axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1
            tried.append((found, box, box.count_overlaps(taken) + 10 * (not inside)))
        best, box, _ = min(tried, key=lambda one: one[2])
        for other, _, _ in tried:
            if other is not best:
                other.remove()
        taken.append(box)
        names.append(best)
    return names


def _box_of_point(axes: "Axes", x: float, y: float) -> "Bbox":
    from matplotlib.transforms import Bbox

    left, low = axes.transData.transform((x, y))
    return Bbox.from_extents(left - _DOT, low - _DOT, left + _DOT, low + _DOT)
