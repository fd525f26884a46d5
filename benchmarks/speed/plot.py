"""The plot of speed results: a bar for each engine's median, a dot for each run."""

import statistics
from pathlib import Path
from typing import Any

from midline.model.errors import UsageError

COLOURS = {"midline": "#2f6fb2", "llama.cpp": "#c9772b", "openvino": "#6a4c93"}
OTHER = "#777777"


def draw(results: list[dict[str, Any]], path: Path) -> None:
    """Draw `results`, one panel each, to `path`; UsageError when matplotlib is missing."""
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        raise UsageError("a plot needs matplotlib: install it and try again") from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    columns = min(4, len(results))
    lines = -(-len(results) // columns)
    figure, axes = pyplot.subplots(
        lines, columns, figsize=(3.4 * columns, 3.2 * lines), squeeze=False, layout="constrained"
    )
    for axis in axes.flat[len(results) :]:
        axis.set_visible(False)
    for axis, result in zip(axes.flat, results, strict=False):
        _draw_panel(axis, result)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _draw_panel(axis: Any, result: dict[str, Any]) -> None:
    for place, row in enumerate(result["rows"]):
        timed = row["tokens_per_second"] * statistics.median(row["seconds"])
        rates = [timed / seconds for seconds in row["seconds"]]
        axis.bar(place, row["tokens_per_second"], 0.6, color=COLOURS.get(row["engine"], OTHER))
        axis.plot([place] * len(rates), rates, "o", color="black", markersize=3, alpha=0.6)
        axis.annotate(f"{row['tokens_per_second']:.0f}", (place, 0), (0, 3), ha="center",
                      textcoords="offset points", color="white", fontsize=9)  # fmt: skip
    axis.set_xticks(range(len(result["rows"])), [row["engine"] for row in result["rows"]])
    axis.set_ylabel("tokens/s")
    axis.margins(y=0.15)
    axis.set_title(title(result), fontsize=9)
    axis.spines[["top", "right"]].set_visible(False)


def title(result: dict[str, Any]) -> str:
    """What was measured, and the ratio if there is a peer."""
    row = result["rows"][0]
    shape = f"{row['tokens']} tokens" + (f" at {row['context']}" if row["context"] else "")
    several = f", {row['samples']} sequences" if row["samples"] > 1 else ""
    form = f" {result['requantized']}" if result.get("requantized") else ""
    sparse = f", {row['sparsity']:.0%} skipped" if row.get("sparsity") else ""
    is_exact = row.get("settings", {}).get("output_matrix") == "exact"
    exact = ", whole output matrix" if is_exact and result["benchmark"] == "decode" else ""
    ratio = f"\n{result['ratio']:.2f}x" if result["ratio"] else ""
    what = f"{result['benchmark']} {shape}{several}{sparse}{exact}"
    return f"{Path(result['model']).name}{form}\n{what}{ratio}"
