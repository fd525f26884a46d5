"""The study's page: tables, two plots, the paper's claims, and what it means for a choice."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.quality.quantization.choice import choices
from midline.benchmarks.quality.quantization.plot import plot
from midline.benchmarks.quality.quantization.table import Row, gap, mean_drop, share

INTRODUCTION = """\
# How few bits, at what price

Written by `midline-bench quality quantization --page`; the figures are in `quantization.json`.

The reference, `onnx-float32`, is the published file dequantized, with activations in float32.
That file is itself rounded (Q4_K_M: about 5 bits a weight). So the tables show what rounding it
once more costs, and what rounding activations costs. They cannot show what was lost when the file
was made, and a form of more bits cannot win that back. `shipped` is the file itself on Midline's
kernels, with activations in 8 bits. `@40` is TEAL on top, with 40% of the weights skipped.
A dash is what was not measured. Intervals are of 95%.
"""
QUALITY = """\
nats: nats a token more than the reference's on 12 texts that nothing was calibrated on. Python:
MBXP, greedy, the share that passes and of how many problems; the differences are in points, paired
by problem. cursor: exact answers at marked cursors.
"""
LANGUAGES = "Other languages: MBXP, greedy; differences in points, paired by problem.\n"
MORE = """\
chrF and BLEU: docstrings written from bodies, against MBXP's descriptions. nominal, robust: passes
unchanged, and under every one of the seeds, over the four families of perturbations (format, names,
syntax, docstring) after ReCode; drop: the share of the nominal passes that a seed makes fail, the
mean of the families.
"""
SPEEDS = """\
Rounds of all forms by turns; ratios are to the reference in the same round (median, least to most).
J and g: joules and grams of CO2 of 1,000 completions of 32 tokens behind 256 new ones.
"""
Table = tuple[list[str], Callable[[Row], list[str]]]


def write_page(path: Path, result: dict[str, Any]) -> None:
    """Writes the page, and its plots beside it. Raises UsageError without matplotlib."""
    parts = [INTRODUCTION]
    for found in result["models"]:
        parts.append(f"## {found['model']}\n")
        parts += _of_model(path, found["model"], found)
    path.write_text("\n".join(parts), "utf-8")


def _of_model(path: Path, model: str, found: dict[str, Any]) -> list[str]:
    rows = found["rows"]
    parts = [
        *_where(rows, QUALITY, QUALITY_TABLE, ("nats", "mbxp", "cursor")),
        *_languages(rows),
        *_where(rows, MORE, MORE_TABLE, ("summaries", "robustness")),
        *_where(rows, SPEEDS, SPEED_TABLE, ("speed",)),
        *_methods(rows),
    ]  # fmt: skip
    for name, axis in (("bytes", "megabytes"), ("joules", "joules per 1,000 completions")):
        points = _points(rows, name)
        if len(points) > 1:
            picture = path.with_name(f"{path.stem}-{name}-{model}.svg")
            plot(picture, points, axis)
            parts.append(f"![pass@1 by {name}]({picture.name})\n")
    measured = [claim for claim in found["claims"] if claim["held"] is not None]
    if measured:
        parts.append(f"### The paper's claims, with {model}\n")
        parts.append("\n".join(f"- {claim['sentence']}." for claim in measured) + "\n")
    meanings = choices(rows)
    if meanings:
        parts.append("### What it means for a choice\n")
        parts.append("\n".join(f"- {sentence}" for sentence in meanings) + "\n")
    return parts


def _where(rows: Sequence[Row], text: str, table: Table, fields: tuple[str, ...]) -> list[str]:
    """A table of the rows that have one of the fields, with its explanation."""
    chosen = [row for row in rows if any(row.get(field) for field in fields)]
    return [text, _table(table, chosen)] if chosen else []


def _table(table: Table, rows: Sequence[Row]) -> str:
    head, cells = table
    lines = [head, ["---"] * len(head), *map(cells, rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _quality(row: Row) -> list[str]:
    python = row.get("mbxp", {}).get("python") or {}
    nats = row.get("nats")
    return [
        row["name"],
        f"{row['bytes'] / 1e6:.0f}" if "bytes" in row else "-",
        f"{row['perplexity']:.3f}" if "perplexity" in row else "-",
        f"{nats['difference']:+.4f} [{nats['interval'][0]:+.4f}, {nats['interval'][1]:+.4f}]"
        if nats
        else "-",
        share(python or None),
        gap(python.get("against")),
        gap(python.get("against_shipped")),
        share(row.get("cursor")),
    ]


def _languages(rows: Sequence[Row]) -> list[str]:
    names = sorted({name for row in rows for name in row.get("mbxp", {})} - {"python"})
    if not names:
        return []
    head = ["recipe", "language", "pass@1", "less reference", "less shipped"]
    lines = [head, ["---"] * len(head)]
    for name in names:
        for row in rows:
            if found := row.get("mbxp", {}).get(name):
                lines.append(
                    [row["name"], name, share(found), gap(found["against"]),
                     gap(found["against_shipped"])]
                )  # fmt: skip
    return [LANGUAGES, "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"]


def _more(row: Row) -> list[str]:
    summaries, families = row.get("summaries"), list(row.get("robustness", {}).values())
    cells = [row["name"], "-", "-", "-", "-", "-", "-", "-"]
    if summaries:
        against = summaries.get("against", {}).get("chrf")
        cells[1] = f"{summaries['chrf']:.1f} of {summaries['problems']}"
        cells[2] = f"{summaries['bleu']:.1f}"
        if against:
            low, high = against["interval"]
            cells[3] = f"{against['difference']:+.2f} [{low:+.2f}, {high:+.2f}]"
    if families:
        total = sum(scores["problems"] for scores in families)
        for place, name in ((4, "nominal"), (5, "robust")):
            passed = sum(scores[name] * scores["problems"] for scores in families)
            cells[place] = f"{passed / max(1, total):.1%} of {total}"
        drop = mean_drop(row)
        cells[6] = "-" if drop is None else f"{drop:.1%}"
        cells[7] = gap(row["robust"]["against"])
    return cells


def _speed(row: Row) -> list[str]:
    found = row["speed"]
    energy = found["energy"]
    return [
        row["name"],
        f"{found['load_seconds']:.2f}",
        f"{(found['resident_bytes'] or 0) / 1e6:.0f}",
        f"{found['prefill_tokens_per_second']:.0f}",
        _ratio(found["prefill_ratio"]),
        f"{found['decode_tokens_per_second']:.1f}",
        _ratio(found["decode_ratio"]),
        f"{energy['joules_per_1000']:.0f}",
        f"{energy['grams_per_1000']:.1f}",
    ]


def _ratio(found: dict[str, float]) -> str:
    return f"{found['median']:.2f} ({found['least']:.2f} to {found['most']:.2f})"


QUALITY_TABLE: Table = (
    ["recipe", "MB", "perplexity", "nats", "Python", "less reference", "less shipped", "cursor"],
    _quality,
)
MORE_TABLE: Table = (
    ["recipe", "chrF", "BLEU", "chrF less reference", "nominal", "robust", "drop",
     "robust less reference"],
    _more,
)  # fmt: skip
SPEED_TABLE: Table = (
    ["recipe", "load s", "resident MB", "prefill t/s", "ratio", "decode t/s", "ratio", "J", "g"],
    _speed,
)


def _methods(rows: Sequence[Row]) -> list[str]:
    energies = [row["speed"]["energy"] for row in rows if "speed" in row]
    methods = sorted({energy["method"] for energy in energies})
    countries = sorted({energy["country"] for energy in energies})
    if not energies:
        return []
    return [f"Joules are {' or '.join(methods)}; grams are of the electricity of "
            f"{' or '.join(countries)}.\n"]  # fmt: skip


def _points(rows: Sequence[Row], name: str) -> list[tuple[str, float, float]]:
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
