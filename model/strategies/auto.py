"""The strategy that was measured best for the models at hand within a budget.

What is bounded is one answer, or, `on_average`, the mean over many. A cascade shows its first
answer as soon as that is there, and another one only where that one passes more examples: within
the bound of one answer, its further stages cost nothing. So that bound takes the longest cascade
that begins as what fits does, and the budget ends it.

The table (`data/auto.json`) is written by `midline-bench budget report --write-table`: for each
strategy that may be a default, how often its answer was right and what its calls were on average.
Seconds are computed from these calls and the machine's own speed.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from midline.model.strategies.base import Strategy
from midline.model.strategies.budget import Budget
from midline.model.strategies.greedy import Greedy
from midline.model.strategies.registry import make_strategy
from midline.model.strategies.speed import PROGRAM_SECONDS, QUESTION_SECONDS, Speed

TABLE = Path(__file__).resolve().parent / "data" / "auto.json"
USED = 0.95
"""Share of a budget that the average problem may take. What takes longer shows its best so far."""


@dataclass(frozen=True)
class Share:
    """A call that a share of the problems makes: its role's model, and its average sizes.

    drafted: whether earlier answers are drafts of it.
    """

    model: str
    share: float
    prompt_tokens: float
    new_tokens: float
    lengths: tuple[float, ...]
    drafted: bool = False


@dataclass(frozen=True)
class Row:
    """models: small, large or both. executes: whether candidates are executed. passed: share of
    right answers. programs: executed on average, in `questions` executions.
    """

    strategy: str
    parameters: Mapping[str, Any]
    models: str
    executes: bool
    passed: float
    calls: tuple[Share, ...]
    programs: float
    questions: float

    def seconds(self, speeds: Mapping[str, Speed]) -> float:
        """Of the average problem on a machine with these speeds of small and large."""
        calls = sum(
            call.share
            * speeds[call.model].call_seconds(call.new_tokens, call.lengths, call.drafted)
            for call in self.calls
        )
        return calls + self.programs * PROGRAM_SECONDS + self.questions * QUESTION_SECONDS

    @property
    def tokens(self) -> float:
        """In and out, of the average problem."""
        return sum(c.share * (c.prompt_tokens + sum(c.lengths)) for c in self.calls)


@cache
def measured_rows(path: Path = TABLE) -> tuple[Row, ...]:
    """The rows of the table."""
    return tuple(map(read_row, json.loads(path.read_text("utf-8"))["rows"]))


def read_row(row: Mapping[str, Any]) -> Row:
    """A row from JSON."""
    calls = tuple(Share(**{**call, "lengths": tuple(call["lengths"])}) for call in row["calls"])
    return Row(**{**row, "calls": calls})


def choose_strategy(
    rows: Sequence[Row],
    budget: Budget,
    models: Sequence[str],
    executes: bool,
    speeds: Mapping[str, Speed],
    *,
    on_average: bool = False,
) -> Strategy:
    """The strategy with the most right answers among those that fit; greedy if none does.

    models: which of small, large and both there are. executes: whether candidates can be executed.
    speeds: of small and large, as far as the budget is one of seconds. on_average: whether single
    answers may take more than `budget`.
    """
    usable = [row for row in rows if row.models in models and row.executes == executes]
    fitting = [row for row in usable if _fits(row, budget, speeds)]
    best = max(fitting, key=lambda row: row.passed, default=None)
    if not on_average and executes:
        longer = [row for row in usable if _continues(row, best)]
        best = max(longer, key=lambda row: len(_stages(row)), default=best)
    return Greedy() if best is None else make_strategy(best.strategy, dict(best.parameters))


def _continues(row: Row, first: Row | None) -> bool:
    """Whether `row` is a cascade that begins as `first` does, or as a greedy answer."""
    begun = _stages(first) if first is not None else [["small", 1]]
    return row.strategy == "cascade" and bool(begun) and _stages(row)[: len(begun)] == begun


def _stages(row: Row) -> list[list[Any]]:
    """Of a cascade without agreement, and of a greedy answer; none of other strategies."""
    if row.strategy == "greedy":
        return [["small", 1]]
    if row.strategy == "cascade" and not row.parameters.get("agreement"):
        return [list(stage) for stage in row.parameters["stages"]]
    return []


def _fits(row: Row, budget: Budget, speeds: Mapping[str, Speed]) -> bool:
    if budget.seconds is not None:
        return row.seconds(speeds) <= USED * budget.seconds
    return budget.tokens is None or row.tokens <= USED * budget.tokens
