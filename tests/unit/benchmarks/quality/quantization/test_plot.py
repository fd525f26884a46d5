"""Names of points hide neither points nor other names."""

import itertools
from pathlib import Path

import pytest

pytest.importorskip("matplotlib", reason="plots need the extra `study`")

from matplotlib import pyplot

from midline.benchmarks.quality.quantization.plot import name_points, plot

CLOSE = [
    *(("q3", 446.0, 15.0), ("q4_0", 446.0, 30.2), ("shipped", 491.0, 30.5)),
    ("onnx-float32", 2535.0, 29.8),
]


def test_names_of_close_points_are_apart_and_within_the_axes() -> None:
    figure, axes = pyplot.subplots(figsize=(8, 5))
    for _, x, y in CLOSE:
        axes.plot(x, y, "o")
    figure.draw_without_rendering()
    boxes = [name.get_window_extent() for name in name_points(axes, CLOSE)]
    assert len(boxes) == len(CLOSE)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    for box in boxes:
        assert axes.bbox.x0 <= box.x0 and box.x1 <= axes.bbox.x1
        assert not any(box.contains(*axes.transData.transform((x, y))) for _, x, y in CLOSE)
    pyplot.close(figure)


def test_a_plot_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        plot(tmp_path / name, CLOSE, "megabytes")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()
