"""The report as a page in Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from midline.benchmarks.budget.within_peer import on_average_sentence

_INTRODUCTION = """# Thinking under a budget

Written by `midline-bench budget report`; the numbers are in `{json}` beside it.

How often the answer that a strategy shows is right, by the tokens, seconds and floating-point
operations that it takes. {pools}


- **Tokens** are those in and out of all calls, cached ones included. **Seconds** are computed
  from the calls and the speed of the machine named below, measured while it did nothing else.
  **Operations** follow the formula in `model/strategies/ledger.py`.
- **What selectors see.** Every example in the prompts of MBXP is one of its hidden tests, too: of
  the 974 Python problems all have three examples and the same three tests. Who executes all
  examples selects by the tests themselves. The tables here are for `--examples {examples}`:
  {shown}.
- **Problems.** Independent strategies are replayed from pools of samples, sequential ones ran
  live. What `auto` chooses from is measured on problems with even numbers (tuning), and its
  result reported on those with odd ones. Intervals are 95% bootstrap intervals over problems,
  differences are paired.
- **Kill rules**, stated before measuring: a strategy that sampling with ranking beats at equal
  seconds, with the interval below 0, is no default; nor is Mixture-of-Agents unless it rescues
  more than it harms, with the interval above 0. All stay selectable by name.
"""
_VOTING = {
    "self_consistency": " on outputs alone",
    "self_consistency+examples": " among those that pass the executed examples",
}
_SHOWN = {
    "first": "the first example alone is executed, and two of three tests stay unseen",
    "all": "all examples are executed, which on this benchmark is selection by the tests",
    "none": "nothing is executed",
}


def page(report: Mapping[str, Any], json_name: str, plots: Sequence[str]) -> str:
    """The whole page."""
    parts = [
        _INTRODUCTION.format(
            json=json_name, pools=report["about"], examples=report["examples"],
            shown=_SHOWN[report["examples"]],
        ),
        *(f"![{name}]({name})\n" for name in plots),
        "## Within the time of llama.cpp's greedy answer\n",
        _peer(report["within_peer"]),
        on_average_sentence(report.get("on_average")) + "\n",
        "## The questions\n",
        "By the 95% interval of the paired difference; what it does not decide is not shown. Plans "
        "and debates execute nothing, so voting on outputs alone is what is like them.\n",
        _answers(report["answers"]),
        "## Arms\n", _arms(report["arms"]),
        "## Less plain sampling at the same cost\n",
        "Right answers of an arm less those of plain sampling"
        + (" with the examples" if report["examples"] != "none" else "")
        + " of the same model (the small one, where there are two), at the arm's mean cost.\n",
        _against(report["against_plain"]),
        "## Strategies that ask in rounds, less self-consistency at the same cost\n",
        *(
            f"Voting{how}:\n\n"
            + _against([r for r in report["against_self_consistency"] if r["against"] == name])
            for name, how in _VOTING.items()
        ),
        "## Does more budget help?\n", _growth(report["growth"]),
        "## Area under the curves\n",
        "Mean share of right answers over the logarithm of the budget, from the cheapest arm to "
        "the dearest.\n",
        _areas(report["areas"]),
        "## Where curves cross those of plain sampling\n", _crossings(report["crossings"]),
        "## Rankings by tokens and by seconds\n", _rankings(report["rankings"]),
        "## Self-written tests\n", _tests(report["tests"]),
        "## Which strategies are no default\n", _dominated(report["dominated"]),
    ]  # fmt: skip
    return "\n".join(parts)


def _peer(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "Not computed: greedy answers of the large model or speeds are missing.\n"
    return (
        "Computed from the pools and measured speeds, the arm chosen on the tuning half: "
        f"{found['arm']} ({found['models']}) is right on {found['passed']['midline']:.1%} in "
        f"{found['seconds']['midline']:.2f} s on average, llama.cpp's greedy answer of the large "
        f"model on {found['passed']['llama.cpp']:.1%} in {found['seconds']['llama.cpp']:.2f} s; "
        f"difference in points {_difference(found['more_often_right'])} on "
        f"{found['more_often_right']['problems']} problems.\n"
    )


def _answers(rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        ("question", "models", "problems", "difference", "answer"),
        [
            (r["question"], r["models"], r["problems"] or "",
             "" if r["difference"] is None else _difference(r), r["answer"])
            for r in rows
        ],
    )  # fmt: skip


def _arms(rows: Sequence[Mapping[str, Any]]) -> str:
    head = ("arm", "models", "problems", "right", "tokens", "seconds", "GFLOP", "oracle", "harm",
            "rescue", "rescue - harm")  # fmt: skip
    return _table(head, [
        (
            row["arm"], row["models"], row["problems"],
            f"{row['passed']:.1%} [{row['interval'][0]:.1%}, {row['interval'][1]:.1%}]",
            f"{row['tokens']:.0f}", f"{row['seconds']:.2f}", f"{row['flops'] / 1e9:.0f}",
            f"{row['oracle']:.1%}", f"{row['harm']:.1%}", f"{row['rescue']:.1%}",
            _difference(row["rescue_over_harm"]),
        )
        for row in rows
    ])  # fmt: skip


def _against(rows: Sequence[Mapping[str, Any]]) -> str:
    by_arm: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = {}
    for row in rows:
        by_arm.setdefault((row["arm"], row["models"]), {})[row["axis"]] = row
    return _table(
        ("arm", "models", "problems", "at equal tokens", "at equal seconds", "at equal operations"),
        [
            (arm, models, next(iter(own.values()))["problems"],
             *(_difference(own[axis]) if axis in own else "cheaper than any"
               for axis in ("tokens", "seconds", "flops")))
            for (arm, models), own in by_arm.items()
        ],
    )  # fmt: skip


def _growth(rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        ("from", "to", "models", "problems", "difference"),
        [(r["from"], r["to"], r["models"], r["problems"], _difference(r)) for r in rows],
    )


def _areas(rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        ("family", "models", "axis", "problems", "from", "to", "area"),
        [
            (r["family"], r["models"], r["axis"], r["problems"], f"{r['from']:.3g}",
             f"{r['to']:.3g}", f"{r['area']:.1%}")
            for r in sorted(rows, key=lambda r: (r["models"], r["axis"], -r["area"]))
        ],
    )  # fmt: skip


def _crossings(rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        ("family", "models", "axis", "budgets"),
        [
            (
                r["family"],
                r["models"],
                r["axis"],
                ", ".join(f"{b:.3g}" for b in r["budgets"]) or "none",
            )
            for r in rows
        ],
    )


def _budgets(found: Sequence[float]) -> str:
    return ", ".join(f"{budget:.3g}" for budget in found) or "none"


def _rankings(found: Mapping[str, Any]) -> str:
    if found["spearman"] is None:
        return "Too few arms are comparable at both.\n"
    return (
        f"Spearman's rank correlation of the leads of {found['arms']} arms over plain sampling at "
        f"equal tokens and at equal seconds is {found['spearman']:.2f}. The best three at equal "
        f"tokens: {', '.join(found['tokens'][:3])}; at equal seconds: "
        f"{', '.join(found['seconds'][:3])}.\n"
    )


def _tests(rows: Sequence[Mapping[str, Any]]) -> str:
    return _table(
        ("model", "tests", "wrong tests", "false positives", "false negatives"),
        [
            (r["model"], r["tests"], *(_share(r[name]) for name in
             ("wrong_tests", "false_positives", "false_negatives")))
            for r in rows
        ],
    )  # fmt: skip


def _dominated(names: Sequence[str]) -> str:
    if not names:
        return "No arm is beaten by plain sampling at equal seconds with an interval below 0.\n"
    return "Beaten by plain sampling at equal seconds: " + ", ".join(names) + ".\n"


def _share(found: Mapping[str, Any]) -> str:
    if found["share"] is None:
        return "none"
    low, high = found["interval"]
    return f"{found['share']:.1%} [{low:.1%}, {high:.1%}] of {found['of']}"


def _difference(found: Mapping[str, Any]) -> str:
    low, high = found["lower_bound"], found["upper_bound"]
    return f"{100 * found['difference']:+.1f} [{100 * low:+.1f}, {100 * high:+.1f}]"


def _table(head: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    if not rows:
        return "Nothing was measured.\n"
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join(lines) + "\n"
