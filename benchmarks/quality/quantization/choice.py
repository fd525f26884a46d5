"""What a study means for a choice, in sentences that follow from its rows."""

from collections.abc import Sequence
from typing import Any

from midline.benchmarks.quality.quantization.claims import ENOUGH
from midline.benchmarks.quality.quantization.subjects import REFERENCE
from midline.benchmarks.quality.quantization.table import Row, gap

SHIPPED, PORTABLE = "shipped", "onnx-int8"
FRONT = "nats"


def choices(rows: Sequence[Row]) -> list[str]:
    """A sentence each: which forms cost something, which are worth their bytes, what to take."""
    dense = [row for row in rows if not row["sparsity"]]
    by_name = {row["name"]: row for row in dense}
    found = [*_costs(dense), *_in_other_languages(dense), *_at_cursors(dense), *_front(dense)]
    found += [*_scaled(by_name), *_sparse(rows)]
    if SHIPPED in by_name:
        found.append(_default(dense, by_name[SHIPPED]))
    if PORTABLE in by_name:
        found.append(_portable(by_name[PORTABLE]))
    return found


def difference(row: Row) -> dict[str, Any] | None:
    """Python pass@1 less that of the published file on Midline's kernels, where that is known."""
    found = row.get("mbxp", {}).get("python", {}).get("against_shipped")
    return found if found and found["cases"] >= ENOUGH else None


def is_worse(row: Row) -> bool:
    """Whether it passes fewer Python problems than the published file, beyond chance."""
    return _is_less(difference(row))


def _is_less(found: dict[str, Any] | None) -> bool:
    return bool(found and found["p_value"] < 0.05 and found["difference"] < 0)


def _costs(rows: Sequence[Row]) -> list[str]:
    asked = [row for row in rows if row["name"] not in (SHIPPED, REFERENCE) and difference(row)]
    if not asked:
        return []
    worse = [f"{row['name']} ({gap(difference(row))} points)" for row in asked if is_worse(row)]
    level = [f"{row['name']} ({gap(difference(row))})" for row in asked if not is_worse(row)]
    found = []
    if level:
        found.append(
            f"Beside `{SHIPPED}`, no difference in Python pass@1 is shown for {_listed(level)}; "
            "the intervals say how large one could be."
        )
    if worse:
        found.append(f"Fewer problems pass with {_listed(worse)}.")
    return found


def _in_other_languages(rows: Sequence[Row]) -> list[str]:
    """Forms that pass fewer problems of another language than the published file, beyond chance."""
    worse = []
    for row in rows:
        for language, scores in sorted(row.get("mbxp", {}).items()):
            found = scores.get("against_shipped")
            if language != "python" and _is_less(found) and found["cases"] >= ENOUGH:
                worse.append(f"{row['name']} in {language} ({gap(found)} points)")
    return [f"In another language than Python, fewer pass with {_listed(worse)}."] if worse else []


def _at_cursors(rows: Sequence[Row]) -> list[str]:
    """Forms that complete fewer marked cursors exactly than the published file, beyond chance."""
    worse = []
    for row in rows:
        found = row.get("cursor", {}).get("against_shipped")
        if _is_less(found):
            worse.append(f"{row['name']} ({gap(found)} points of {found['cases']} cursors)")
    return [f"Fewer completions at a cursor are exact with {_listed(worse)}."] if worse else []


def _front(rows: Sequence[Row]) -> list[str]:
    """Forms that cost fewer nats than all smaller ones, by more than the interval of these.

    Nats tell forms apart that passes cannot.
    """
    known = sorted(
        (row for row in rows if "bytes" in row and FRONT in row and row["name"] != REFERENCE),
        key=lambda row: (row["bytes"], row[FRONT]["difference"]),
    )
    front: list[Row] = []
    for row in known:
        if not front or row[FRONT]["difference"] < front[-1][FRONT]["interval"][0]:
            front.append(row)
    if len(known) < 2:
        return []
    shown = [
        f"{row['name']} ({row['bytes'] / 1e6:.0f} MB, {row[FRONT]['difference']:+.3f} nats a token)"
        for row in front
    ]
    return [f"Worth their bytes by perplexity are {_listed(shown)}; the others are no better."]


def _scaled(by_name: dict[str, Row]) -> list[str]:
    """Whether activation-aware scales make 4 bits better."""
    plain, scaled = (by_name.get(name, {}).get(FRONT) for name in ("q4_0", "q4_0-awq"))
    if not plain or not scaled:
        return []
    word = "helps" if scaled["difference"] < plain["difference"] else "does not help"
    return [
        f"Scaling the inputs of weights that are already 4-bit (AWQ) {word}: "
        f"{scaled['difference']:+.3f} nats a token, {plain['difference']:+.3f} without."
    ]


def _sparse(rows: Sequence[Row]) -> list[str]:
    """What TEAL adds to the loss, for each form that was measured with and without it."""
    by_name = {row["name"]: row for row in rows if FRONT in row}
    added = [
        (row["recipe"], row[FRONT]["difference"] - by_name[row["recipe"]][FRONT]["difference"])
        for row in by_name.values()
        if row["sparsity"] and row["recipe"] in by_name
    ]
    if not added:
        return []
    listed = _listed([f"{nats:+.3f} with {name}" for name, nats in sorted(added)])
    return [f"Skipping the default share of weights (TEAL) adds {listed} nats a token."]


def _default(rows: Sequence[Row], shipped: Row) -> str:
    smaller = [
        row
        for row in rows
        if row.get("bytes", shipped["bytes"]) < 0.95 * shipped["bytes"] and not is_worse(row)
        and difference(row)
    ]  # fmt: skip
    if smaller:
        best = min(smaller, key=lambda row: row["bytes"])
        size, whole = (each["bytes"] / 1e6 for each in (best, shipped))
        price = f", for {best[FRONT]['difference']:+.3f} nats a token" if FRONT in best else ""
        price += " and fewer exact completions" if _at_cursors([best]) else ""
        price += " and fewer passes in another language" if _in_other_languages([best]) else ""
        return (
            f"Where memory is short, `{best['name']}` takes {size:.0f} MB instead of {whole:.0f}"
            f"{price}; elsewhere the published file stays the default, since no form of more bits "
            "wins back what was rounded away when it was made."
        )
    return (
        "The published file stays the default on Midline's kernels: no form that is smaller by 5% "
        "or more is as good, and none of more bits wins back what was rounded away when it was "
        "made."
    )


def _portable(row: Row) -> str:
    found = row.get("mbxp", {}).get("python", {}).get("against")
    figure = f" ({gap(found)} points against float32 on {found['cases']} problems)" if found else ""
    return f"Where no kernels are built, `--engine onnx` with `{PORTABLE}` is the choice{figure}."


def _listed(words: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
