"""The strategy that was measured best for the models at hand within a budget.

What is bounded is one answer, or the mean over many. A strategy that shows a first answer early
loses little where the bound cuts it off, so each row has a curve: how costs are spread over
problems, and how often the answer is right that is there at the end or before.

The table (`data/auto.json`) is written by `midline-bench budget report --write-table`: for each
strategy that may be a default, how often its answer was right and what its calls were on average.
Seconds are computed from these calls and the machine's own speed.
"""

import json
import math
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
"""Share of a budget that is planned with."""
LIMITS = (1.0, 1.25, 1.5, 1.75, 2.0, 2.5, 3.0)
"""Most that one answer may take, in units of the mean."""


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
class Part:
    """A part of the problems, of similar cost: cost over the row's mean, share of right answers,
    and the same of the first answer that is there.
    """

    cost: float
    passed: float
    first_cost: float
    first_passed: float


@dataclass(frozen=True)
class Row:
    """models: small, large or both. executes: whether candidates are executed. passed: share of
    right answers. programs: executed on average, in `questions` executions. curve: parts of equal
    size.
    """

    strategy: str
    parameters: Mapping[str, Any]
    models: str
    executes: bool
    passed: float
    calls: tuple[Share, ...]
    programs: float
    questions: float
    curve: tuple[Part, ...] = ()

    def seconds(self, speeds: Mapping[str, Speed]) -> float:
        """Of the average problem on a machine with these speeds of small and large."""
        calls = sum(
            call.share
            * speeds[call.model].call_seconds(call.new_tokens, call.lengths, call.drafted)
            for call in self.calls
        )
        return calls + self.programs * PROGRAM_SECONDS + self.questions * QUESTION_SECONDS

    def passed_within(self, limit: float, mean: float) -> float:
        """Share of right answers, cut off at `limit` seconds, where uncut ones take `mean`."""
        shares = [
            part.passed if part.cost * mean <= limit
            else part.first_passed if part.first_cost * mean <= limit else 0.0
            for part in self._parts
        ]  # fmt: skip
        return sum(shares) / len(shares)

    def seconds_within(self, limit: float, mean: float) -> float:
        """Mean seconds, cut off at `limit`."""
        parts = self._parts
        return sum(min(part.cost * mean, limit) for part in parts) / len(parts)

    @property
    def _parts(self) -> tuple[Part, ...]:
        return self.curve or (Part(1.0, self.passed, 1.0, self.passed),)

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
    more = {"curve": tuple(Part(**part) for part in row["curve"])} if "curve" in row else {}
    return Row(**{**row, "calls": calls, **more})


def choose_strategy(
    rows: Sequence[Row],
    budget: Budget,
    models: Sequence[str],
    executes: bool,
    speeds: Mapping[str, Speed],
) -> Strategy:
    """The strategy with the most right answers within `budget`; greedy if none is known to fit.

    models: which of small, large and both there are. executes: whether candidates can be executed.
    speeds: of small and large, as far as the budget is one of seconds.
    """
    usable = _usable(rows, models, executes)
    if budget.seconds is not None:
        limit = USED * budget.seconds
        found = [(row.passed_within(limit, row.seconds(speeds)), row) for row in usable]
    else:
        most = math.inf if budget.tokens is None else USED * budget.tokens
        found = [(row.passed, row) for row in usable if row.tokens <= most]
    best = max(found, key=lambda each: each[0], default=None)
    return Greedy() if best is None or best[0] <= 0 else _made(best[1])


def choose_on_average(
    rows: Sequence[Row],
    seconds: float,
    models: Sequence[str],
    executes: bool,
    speeds: Mapping[str, Speed],
) -> tuple[Strategy, float]:
    """The strategy with the most right answers of which the mean takes `seconds`, and its limit.

    The limit, of one answer, is some multiple of the mean. The rest is as in `choose_strategy`.
    """
    best: tuple[float, Strategy, float] = (0.0, Greedy(), seconds)
    for row in _usable(rows, models, executes):
        mean = row.seconds(speeds)
        for multiple in LIMITS:
            limit = multiple * seconds
            passed = row.passed_within(USED * limit, mean)
            if row.seconds_within(limit, mean) <= USED * seconds and passed > best[0]:
                best = passed, _made(row), limit
    return best[1], best[2]


def _usable(rows: Sequence[Row], models: Sequence[str], executes: bool) -> list[Row]:
    return [row for row in rows if row.models in models and row.executes == executes]


def _made(row: Row) -> Strategy:
    return make_strategy(row.strategy, dict(row.parameters))
