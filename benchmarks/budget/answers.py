"""The questions of the study, answered by intervals: yes, no, or not shown."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

AXES = ("tokens", "seconds")
IN_ROUNDS = ("debate", "reflexion", "plan_then_code")
GROWING = ("debate", "reflexion")
Rows = Sequence[Mapping[str, Any]]


def answers(report: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A row for each question and arm: what was asked, the difference, and the answer."""
    return [
        *_self_consistency(report["against_self_consistency"]),
        *_growth(report["growth"]),
        *_aggregators(report["arms"]),
        *_rankings(report["rankings"]),
    ]


def _self_consistency(rows: Rows) -> Iterator[dict[str, Any]]:
    for row in rows:
        if row["arm"].startswith(IN_ROUNDS) and row["axis"] in AXES:
            yield {
                "question": f"Does {row['against']} beat {row['arm']} at equal {row['axis']}?",
                "models": row["models"],
                **_decided(_reversed(row)),
            }


def _growth(rows: Rows) -> Iterator[dict[str, Any]]:
    for row in rows:
        if row["from"].startswith(GROWING):
            yield {
                "question": f"Is {row['to']} worse than {row['from']}?",
                "models": row["models"],
                **_decided(_reversed(row)),
            }


def _aggregators(rows: Rows) -> Iterator[dict[str, Any]]:
    for row in rows:
        if "moa" in row["arm"]:
            yield {
                "question": f"Does the aggregator of {row['arm']} rescue more than it harms?",
                "models": row["models"],
                **_decided(row["rescue_over_harm"]),
            }


def _rankings(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Rankings differ where another arm leads; the correlation tells how much."""
    if found["spearman"] is not None:
        yield {
            "question": "Do rankings at equal tokens and at equal seconds differ?",
            "models": "all",
            "problems": None,
            "difference": None,
            "answer": f"rank correlation {found['spearman']:.2f} of {found['arms']} arms, and "
            f"{'the same arm leads' if _leads_both(found) else 'another arm leads'}",
        }


def _leads_both(found: Mapping[str, Any]) -> bool:
    return bool(found["tokens"][0] == found["seconds"][0])


def _reversed(row: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "problems": row["problems"],
        "difference": -row["difference"],
        "lower_bound": -row["upper_bound"],
        "upper_bound": -row["lower_bound"],
    }


def _decided(found: Mapping[str, Any]) -> dict[str, Any]:
    yes, no = found["lower_bound"] > 0, found["upper_bound"] < 0
    return {
        **{name: found[name] for name in ("problems", "difference", "lower_bound", "upper_bound")},
        "answer": "yes" if yes else "no" if no else "not shown",
    }
