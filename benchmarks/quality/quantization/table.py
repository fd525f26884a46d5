"""The study's table: one row for each subject, compared with the reference where both have it."""

from typing import Any

from midline.benchmarks.quality.quantization import (
    execution,
    perplexity,
    robustness,
    summarization,
)
from midline.benchmarks.quality.quantization.store import Store
from midline.benchmarks.quality.quantization.subjects import REFERENCE

PARTS = ("size", "perplexity", "cursor", "mbxp", "summaries", "robustness", "speed")
Row = dict[str, Any]


def build_rows(store: Store, model: str) -> list[Row]:
    """Every subject of `model` that has a result, the reference first."""
    parts = {part: dict(store.every(model, part)) for part in PARTS}
    names = sorted(set().union(*parts.values()), key=lambda name: (name != REFERENCE, name))
    return [_row(name, parts) for name in names]


def _row(name: str, parts: dict[str, dict[str, Any]]) -> Row:
    own = {part: found[name] for part, found in parts.items() if name in found}
    truth = {part: found[REFERENCE] for part, found in parts.items() if REFERENCE in found}
    shipped = parts["mbxp"].get("shipped", {})
    row: Row = {"name": name, "recipe": name.partition("@")[0]}
    row["sparsity"] = float(name.partition("@")[2] or 0) / 100
    row |= own.get("size", {})
    if "perplexity" in own:
        row["perplexity"] = round(perplexity.perplexity(own["perplexity"]), 4)
        if "perplexity" in truth:
            row["nats"] = perplexity.against(own["perplexity"], truth["perplexity"])
    if "mbxp" in own:
        row["mbxp"] = {
            language: _execution(found, truth.get("mbxp", {}).get(language), shipped.get(language))
            for language, found in own["mbxp"].items()
        }
    if "cursor" in own:
        row["cursor"] = _execution(execution.of_lists(own["cursor"]), truth.get("cursor"))
    if own.get("summaries"):
        row["summaries"] = summarization.scores(own["summaries"])
        if truth.get("summaries"):
            row["summaries"]["against"] = summarization.against(
                own["summaries"], truth["summaries"]
            )
    if "robustness" in own:
        row["robustness"] = robustness.scores(own["robustness"])
    if "speed" in own:
        row["speed"] = own["speed"]
    return row


def _execution(
    found: dict[str, Any], reference: dict[str, Any] | None, shipped: dict[str, Any] | None = None
) -> Row:
    """Scores, and differences from the reference and from the file as it was published."""
    kept = {key: found[key] for key in ("problems", "pass", "interval")}
    against = {"against": reference, "against_shipped": shipped}
    return kept | {
        name: execution.against(found, other) if other else None for name, other in against.items()
    }


def cells(row: Row) -> list[str]:
    """A row's cells as printed; a dash for what was not measured."""
    python = row.get("mbxp", {}).get("python")
    others = [f"{found['pass']:.1%}" for name, found in row.get("mbxp", {}).items()
              if name != "python"]  # fmt: skip
    speed = row.get("speed", {})
    robust = row.get("robustness", {})
    drop = [f["relative_drop"] for f in robust.values() if f["relative_drop"] is not None]
    return [
        row["name"],
        f"{row['bytes'] / 1e6:.0f}" if "bytes" in row else "-",
        f"{row['perplexity']:.3f}" if "perplexity" in row else "-",
        f"{python['pass']:.1%}" if python else "-",
        _gap(python and python["against"]),
        _gap(python and python["against_shipped"]),
        " ".join(others) or "-",
        f"{row['cursor']['pass']:.1%}" if "cursor" in row else "-",
        f"{row['summaries']['chrf']:.1f}" if "summaries" in row else "-",
        f"{sum(drop) / len(drop):.1%}" if drop else "-",
        f"{speed['decode_tokens_per_second']:.1f}" if speed else "-",
        f"{speed['energy']['joules_per_1000']:.0f}" if speed else "-",
    ]


HEAD = [
    "recipe", "MB", "perplexity", "python", "less reference", "less shipped", "others", "cursor",
    "chrF", "drop", "decode t/s", "J/1000",
]  # fmt: skip


def table(rows: list[Row]) -> list[str]:
    """Lines of the table as printed."""
    lines = [HEAD, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]


def _gap(found: dict[str, Any] | None) -> str:
    if not found:
        return "-"
    low, high = found["interval"]
    return f"{found['difference']:+.1%} [{low:+.1%}, {high:+.1%}]"
