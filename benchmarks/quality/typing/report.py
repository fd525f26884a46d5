"""Figures of a typing run by engine and language, as data and as a table."""

from collections.abc import Sequence
from typing import Any

from midline.benchmarks.quality.typing.oracle import GATED
from midline.benchmarks.quality.typing.oracle import NAME as ORACLE
from midline.benchmarks.quality.typing.scores import (
    READ_MILLISECONDS,
    by_language,
    compared,
    figures,
    found_of_oracle,
    is_pause,
    judged,
    saved_ratio,
)
from midline.benchmarks.quality.typing.session import Cost, Position

MIDLINE = "midline"
COLUMNS = ("pauses", "shown_in_time", "exact_in_time", "exact", "begins_right", "wholly_wrong",
           "flicker")  # fmt: skip
HEADS = {
    "pauses": "pauses",
    "shown_in_time": "shown",
    "exact_in_time": "exact",
    "exact": "later",
    "begins_right": "right",
    "wholly_wrong": "wrong",
    "flicker": "flicker",
}


def build(
    positions: Sequence[Position], costs: Sequence[Cost], about: dict[str, Any]
) -> dict[str, Any]:
    """The result: `rows` by engine and language, comparisons in pairs, and every pause."""
    engines = list(dict.fromkeys(position.engine for position in positions))
    rows = [row for engine in engines for row in _rows(positions, costs, engine)]
    others = [engine for engine in engines if engine != MIDLINE]
    return {
        **about,
        "rows": rows,
        "comparisons": [row for other in others for row in _compared(positions, other)],
        "positions": [
            {"engine": position.engine, **judged(position)}
            for position in positions
            if is_pause(position)
        ],
    }


def _rows(
    positions: Sequence[Position], costs: Sequence[Cost], engine: str
) -> list[dict[str, Any]]:
    def make(language: str) -> dict[str, Any]:
        own = _of(positions, engine, language), _of(costs, engine, language)
        return {"engine": engine, **figures(*own)}

    return by_language(_of(positions, engine), make)


def _of(rows: Sequence[Any], engine: str, language: str = "all") -> list[Any]:
    return [r for r in rows if r.engine == engine and language in ("all", r.language)]


def _compared(positions: Sequence[Position], other: str) -> list[dict[str, Any]]:
    def make(language: str) -> dict[str, Any]:
        first, second = (_of(positions, engine, language) for engine in (MIDLINE, other))
        found = {"first": MIDLINE, "second": other, **compared(first, second)}
        found["saved_keys_read_ratio"] = saved_ratio(first, second, READ_MILLISECONDS)
        return {**found, **(found_of_oracle(first, second) if other in (ORACLE, GATED) else {})}

    return by_language(_of(positions, other), make)


def print_report(result: dict[str, Any], *, show: bool = False) -> None:
    """Print the table, the comparisons, and with `show` every pause."""
    if show:
        _print_pauses(result["positions"])
    _print_rows(result["rows"])
    for row in result["comparisons"]:
        if row["language"] == "all":
            _print_comparison(row)


def _print_rows(rows: Sequence[dict[str, Any]]) -> None:
    heads = "".join(f"{HEADS[name]:>9}" for name in COLUMNS)
    print(
        f"{'engine':<11}{'language':<12}{heads}{'saved':>14}{'cores':>7}{'read/key':>10}{'median':>8}{'Enter':>8}"
    )
    for row in rows:
        shares = "".join(
            f"{row[name]:>9}" if isinstance(row[name], int) else f"{_percent(row[name]):>9}"
            for name in COLUMNS
        )
        saved = f"{row['saved_keys']}/{row['keys_of_blocks']}"
        cost = f"{_or_dash(row['cores']):>7}{_or_dash(row['tokens_read_a_key']):>10}"
        cost += (
            f"{_or_dash(row['median_read_a_key']):>8}{_or_dash(row['median_read_after_enter']):>7}"
        )
        print(f"{row['engine']:<11}{row['language']:<12}{shares}{saved:>14}{cost}")
    print(
        "shown, exact: 250 ms after the last key before a pause of 500 ms or more; later: at the "
        "pause's end, of which right and wrong are shares of what was shown; read/key: prompt "
        "tokens computed, on average, as a median, and as a median after Enter"
    )


def _print_comparison(row: dict[str, Any]) -> None:
    name, saved = row["second"], row["saved_keys_ratio"]
    if "found_in_time" in row:
        low, high = row["found_in_time_interval"]
        print(
            f"of the first lines that {name} has exactly, {_percent(row['found_in_time'])} "
            f"[{low:.1%}, {high:.1%}] were shown within 250 ms"
        )
    for key, words in (("exact_in_time", "exact in time"), ("exact", "exact at the end")):
        if key in row:
            found = row[key]
            low, high = found["interval"]
            print(
                f"{words}, less {name}: {found['difference']:+.1%} [{low:+.1%}, {high:+.1%}] of "
                f"{found['cases']} pauses"
            )
    print(f"saved keys over {name}'s: {_or_dash(saved['ratio'])} {saved['interval'] or ''}")


def _print_pauses(pauses: Sequence[dict[str, Any]]) -> None:
    for pause in pauses:
        language, file, _, line, typed, _ = pause["place"]
        mark = "=" if pause["exact"] else "~" if pause["begins_right"] else "-"
        print(f"{pause['engine']:<10}{language:<11}{file}:{line}+{typed} {mark} ", end="")
        print(f"{pause['truth']!r} <- {pause['shown']!r} {pause['shown_after_ms']}")


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _or_dash(value: float | None) -> str:
    return "-" if value is None else str(value)
