"""The plot of `quality sparsity`: the rise of perplexity over the bytes read per token."""

from itertools import groupby
from pathlib import Path
from typing import Any

from midline.model.errors import UsageError


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw one line a variant to `path`; UsageError when matplotlib is missing."""
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        raise UsageError("a plot needs matplotlib: install it and try again") from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(6, 4), layout="constrained")
    dense = result["rows"][0]
    for variant, group in groupby(result["rows"][1:], key=lambda row: row["variant"]):
        rows = [dense, *sorted(group, key=lambda row: row["sparsity"])]
        axis.plot([row["bytes_per_token"] / 1e6 for row in rows],
                  [100 * row["perplexity_rise"] for row in rows], "o-", label=variant)  # fmt: skip
    for level in {row["sparsity"] for row in result["rows"][1:]}:
        own = [row for row in result["rows"][1:] if row["sparsity"] == level]
        top = max(own, key=lambda row: row["perplexity_rise"])
        axis.annotate(f"{level:.0%}", (top["bytes_per_token"] / 1e6, 100 * top["perplexity_rise"]),
                      textcoords="offset points", xytext=(5, 4), fontsize=8)  # fmt: skip
    axis.axhline(1.5, color="#999", linewidth=0.8, linestyle="--")
    axis.set_xlabel("MB of weights a token reads")
    axis.set_ylabel("rise of perplexity, %")
    axis.set_title(f"{Path(result['model']).name}, {result['rows'][0]['tokens']} tokens")
    axis.legend()
    axis.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
