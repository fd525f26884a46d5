"""The study's page: tables, two plots, and what they mean for a choice."""

from pathlib import Path
from typing import Any

from midline.benchmarks.quality.quantization.table import HEAD, cells
from midline.model.errors import UsageError

INTRODUCTION = """\
# How few bits, at what price

Written by `midline-bench quality quantization --page`; the figures are in `quantization.json`.

The reference, `onnx-float32`, is the published file dequantized, with activations in float32.
That file is itself rounded (Q4_K_M: about 5 bits a weight). So the table shows what rounding it
once more costs, and what rounding activations costs. It cannot show what was lost when the file
was made, and a form of more bits cannot win that back. `shipped` is the file itself on Midline's
kernels, with activations in 8 bits.

MB: of the model's files. perplexity: on 12 texts that nothing was calibrated on. python: MBXP
pass@1, greedy; "less reference" and "less shipped" are paired by problem, with an interval of
95%. others: pass@1 in the other languages, in the order of the JSON. cursor: exact answers at
marked cursors. chrF: docstrings written from bodies, against MBXP's descriptions. drop: the share
of passing problems that fail under one of several perturbations, the mean of four families.
J/1000: joules of 1,000 completions of 32 tokens. `@40` is TEAL at 40% on top. A dash is what was
not measured.
"""


def write_page(path: Path, result: dict[str, Any]) -> None:
    """Writes the page, and its plots beside it. Raises UsageError without matplotlib."""
    parts = [INTRODUCTION]
    for model, found in result["models"].items():
        parts.append(f"## {model}\n")
        rows = [HEAD, ["---"] * len(HEAD), *map(cells, found["rows"])]
        parts.append("\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n")
        for name, axis in (("bytes", "megabytes"), ("joules", "joules per 1,000 completions")):
            points = _points(found["rows"], name)
            if len(points) > 1:
                picture = path.with_name(f"{path.stem}-{name}-{model}.svg")
                plot(picture, points, axis)
                parts.append(f"![pass@1 by {name}]({picture.name})\n")
        parts.append(f"### The paper's claims, with {model}\n")
        parts.append("\n".join(f"- {claim['sentence']}." for claim in found["claims"]) + "\n")
        parts += _methods(found["rows"])
    path.write_text("\n".join(parts), "utf-8")


def _methods(rows: list[dict[str, Any]]) -> list[str]:
    methods = sorted({row["speed"]["energy"]["method"] for row in rows if "speed" in row})
    return [f"Joules are {' or '.join(methods)}.\n"] if methods else []


def _points(rows: list[dict[str, Any]], name: str) -> list[tuple[str, float, float]]:
    """(subject, abscissa, pass@1 of Python in percent)."""
    points = []
    for row in rows:
        python = row.get("mbxp", {}).get("python")
        if name == "bytes":
            x = row["bytes"] / 1e6 if "bytes" in row else None
        else:
            x = row["speed"]["energy"]["joules_per_1000"] if "speed" in row else None
        if python and x is not None:
            points.append((row["name"], x, 100 * python["pass"]))
    return points


def plot(path: Path, points: list[tuple[str, float, float]], axis: str) -> None:
    """Quality against a cost, one point for each subject."""
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
    for name, x, y in points:
        axes.plot(x, y, "o", color="tab:blue")
        axes.annotate(name, (x, y), textcoords="offset points", xytext=(4, 4), fontsize=8)
    axes.set_xlabel(axis)
    axes.set_ylabel("MBXP Python, pass@1 in percent")
    axes.grid(alpha=0.3)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
