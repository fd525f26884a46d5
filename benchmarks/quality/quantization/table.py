"""The study's table: one row for each subject, compared with the reference where both have it."""

from typing import Any

from midline.benchmarks.mbxp.languages import NAMES
from midline.benchmarks.quality.quantization import (
    execution,
    perplexity,
    robustness,
    summarization,
)
from midline.benchmarks.quality.quantization.store import Store
from midline.benchmarks.quality.quantization.study import MBXP
from midline.benchmarks.quality.quantization.subjects import REFERENCE

PARTS = ("size", "perplexity", "cursor", "summaries", "robustness", "speed")
Row = dict[str, Any]


def build_rows(store: Store, model: str) -> list[Row]:
    """Every subject of `model` that has a result, the reference first."""
    languages = [MBXP + name for name in NAMES]
    parts = {part: dict(store.every(model, part)) for part in (*PARTS, *languages)}
    names = sorted(set().union(*parts.values()), key=lambda name: (name != REFERENCE, name))
    return [_row(name, parts) for name in names]


def _row(name: str, parts: dict[str, dict[str, Any]]) -> Row:
    own = {part: found[name] for part, found in parts.items() if name in found}
    truth = {part: found[REFERENCE] for part, found in parts.items() if REFERENCE in found}
    row: Row = {"name": name, "recipe": name.partition("@")[0]}
    row["sparsity"] = float(name.partition("@")[2] or 0) / 100
    row |= own.get("size", {})
    if "perplexity" in own:
        row["perplexity"] = round(perplexity.perplexity(own["perplexity"]), 4)
        if "perplexity" in truth:
            row["nats"] = perplexity.against(own["perplexity"], truth["perplexity"])
    languages = [part for part in own if part.startswith(MBXP)]
    if languages:
        row["mbxp"] = {
            part.removeprefix(MBXP): _execution(
                own[part], truth.get(part), parts[part].get("shipped")
            )
            for part in languages
        }
    if "cursor" in own:
        row["cursor"] = _execution(
            execution.of_lists(own["cursor"]), truth.get("cursor"), parts["cursor"].get("shipped")
        )
    if own.get("summaries"):
        row["summaries"] = summarization.scores(own["summaries"])
        if truth.get("summaries"):
            row["summaries"]["against"] = summarization.against(
                own["summaries"], truth["summaries"]
            )
    if "robustness" in own:
        row["robustness"] = robustness.scores(own["robustness"])
        row["robust"] = {
            name: robustness.against(own["robustness"], other) if other else None
            for name, other in (
                ("against", truth.get("robustness")),
                ("against_shipped", parts["robustness"].get("shipped")),
            )
        }
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
    speed = row.get("speed")
    drop = mean_drop(row)
    return [
        row["name"],
        f"{row['bytes'] / 1e6:.0f}" if "bytes" in row else "-",
        f"{row['perplexity']:.3f}" if "perplexity" in row else "-",
        share(python),
        gap(python and python["against"]),
        gap(python and python["against_shipped"]),
        share(row.get("cursor")),
        f"{row['summaries']['chrf']:.1f} of {row['summaries']['problems']}"
        if "summaries" in row
        else "-",
        "-" if drop is None else f"{drop:.1%} of {_perturbed(row)}",
        f"{speed['decode_tokens_per_second']:.1f}" if speed else "-",
        f"{speed['energy']['joules_per_1000']:.0f}" if speed else "-",
    ]


HEAD = [
    "recipe", "MB", "perplexity", "python", "less reference", "less shipped", "cursor", "chrF",
    "drop", "decode t/s", "J/1000",
]  # fmt: skip


def share(found: dict[str, Any] | None) -> str:
    """A share that passed, and of how many."""
    return f"{found['pass']:.1%} of {found['problems']}" if found else "-"


def gap(found: dict[str, Any] | None) -> str:
    """A paired difference in points, and its interval."""
    if not found:
        return "-"
    low, high = found["interval"]
    return f"{100 * found['difference']:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def mean_drop(row: Row) -> float | None:
    """The mean relative drop over the families; None where nothing passed unchanged."""
    drops = [scores["relative_drop"] for scores in row.get("robustness", {}).values()]
    known = [drop for drop in drops if drop is not None]
    return sum(known) / len(known) if known else None


def _perturbed(row: Row) -> int:
    """Problems that were perturbed, those too short for one of the families included."""
    return max(int(scores["problems"]) for scores in row["robustness"].values())


def table(rows: list[Row]) -> list[str]:
    """Lines of the table as printed."""
    lines = [HEAD, *map(cells, rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    ]
