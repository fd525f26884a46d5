"""The choice within a budget, and the shipped table."""

from dataclasses import asdict, replace

import pytest

from midline.model.strategies.auto import (
    Part,
    Row,
    Share,
    choose_on_average,
    choose_strategy,
    measured_rows,
    read_row,
)
from midline.model.strategies.budget import UNLIMITED, Budget
from midline.model.strategies.registry import make_strategy
from midline.model.strategies.speed import QUESTION_SECONDS, Speed

SPEEDS = {"small": Speed(0.001, ((1, 0.01), (8, 0.02))), "large": Speed(0.01, ((1, 0.1),))}


def row(samples: int, passed: float, models: str = "small", executes: bool = False) -> Row:
    role = "large" if models == "large" else "small"
    call = Share(role, 1.0, 100.0, 100.0, (50.0,) * samples)
    return Row("best_of_n", {"samples": samples}, models, executes, passed, (call,), 0, 0)


ROWS = (row(1, 0.3), row(8, 0.4), row(1, 0.5, "large"), row(8, 0.6, executes=True))


@pytest.mark.parametrize(
    ("budget", "samples"),
    [
        (UNLIMITED, 8),
        (Budget(seconds=5), 8),
        (Budget(seconds=1), 1),
        (Budget(tokens=1000), 8),
        (Budget(tokens=300), 1),
    ],
)
def test_the_best_that_fits(budget: Budget, samples: int) -> None:
    found = choose_strategy(ROWS, budget, ["small"], False, SPEEDS)
    assert found == make_strategy("best_of_n", {"samples": samples})


def test_what_fits_nowhere_is_greedy() -> None:
    for budget in (Budget(seconds=0.1), Budget(tokens=10)):
        assert choose_strategy(ROWS, budget, ["small"], False, SPEEDS).name == "greedy"


def test_models_and_execution_have_to_be_there() -> None:
    assert choose_strategy(ROWS, UNLIMITED, ["large"], False, {}) == make_strategy(
        "best_of_n", {"samples": 1}
    )
    assert choose_strategy(ROWS, UNLIMITED, ["large"], True, {}).name == "greedy"


def test_seconds_and_tokens_of_a_row() -> None:
    assert ROWS[1].seconds(SPEEDS) == pytest.approx(0.1 + 50 * 0.02)
    assert ROWS[1].tokens == 500
    asked = Row("greedy", {}, "small", True, 0.1, (), programs=0, questions=2)
    assert asked.seconds({}) == pytest.approx(2 * QUESTION_SECONDS)
    assert read_row({**asdict(ROWS[1])}) == ROWS[1]


def test_every_strategy_of_the_shipped_table_can_be_made() -> None:
    for each in measured_rows():
        assert make_strategy(each.strategy, dict(each.parameters)).name == each.strategy
        assert 0 <= each.passed <= 1
        assert each.models in ("small", "large", "both")


def curved(strategy: str, passed: tuple[float, float], costs: tuple[float, float]) -> Row:
    """A row of 1 s whose second half of problems is dearer; its first answers are a third right."""
    call = Share("small", 1.0, 100.0, 0.0, (100.0,))
    parts = [Part(cost, p, 0.2, 0.3) for p, cost in zip(passed, costs, strict=True)]
    mean = sum(passed) / 2
    return Row(strategy, {}, "small", True, mean, (call,), 0, 0, tuple(parts))


EARLY = curved("cascade", (0.6, 0.8), (0.5, 1.5))
LATE = replace(EARLY, strategy="codet", curve=(Part(0.9, 0.7, 0.9, 0.7), Part(1.1, 0.9, 1.1, 0.9)))


@pytest.mark.parametrize(
    ("seconds", "name", "passed"),
    [(0.1, "greedy", 0), (0.25, "cascade", 0.3), (0.8, "cascade", 0.45), (1.2, "codet", 0.8)],
)
def test_what_is_cut_off_has_its_first_answer(seconds: float, name: str, passed: float) -> None:
    found = choose_strategy((EARLY, LATE), Budget(seconds=seconds), ["small"], True, SPEEDS)
    assert found.name == name
    best = max(row.passed_within(0.95 * seconds, 1.0) for row in (EARLY, LATE))
    assert best == pytest.approx(passed)


def test_on_average_one_answer_may_take_more_than_the_mean() -> None:
    strategy, limit = choose_on_average((EARLY, LATE), 1.1, ["small"], True, SPEEDS)
    assert strategy.name == "codet" and limit >= 1.1 / 0.95
    strategy, limit = choose_on_average((EARLY,), 1.06, ["small"], True, SPEEDS)
    assert strategy.name == "cascade"
    assert EARLY.passed_within(0.95 * limit, 1.0) == pytest.approx(0.7)
    assert EARLY.seconds_within(limit, 1.0) <= 1.06 * 0.95 < limit
    strategy, limit = choose_on_average((EARLY,), 0.01, ["small"], True, SPEEDS)
    assert strategy.name == "greedy"
