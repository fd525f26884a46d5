"""The choice within a budget, and the shipped table."""

from dataclasses import asdict

import pytest

from midline.model.strategies.auto import Row, Share, choose_strategy, measured_rows, read_row
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


def test_one_answer_goes_on_with_the_longest_cascade_until_its_budget_ends() -> None:
    call = Share("small", 1.0, 100.0, 100.0, (50.0,))
    greedy = Row("greedy", {}, "small", True, 0.3, (call,), 0, 0)
    stages = [{"stages": (("small", 1),) * (1 + more)} for more in (1, 3)]
    longer = [Row("cascade", s, "small", True, 0.4, (call,) * 9, 0, 0) for s in stages]
    agreed = {"stages": [["small", 1]] * 9, "agreement": 0.6}
    other = Row("cascade", agreed, "small", True, 0.2, (call,) * 9, 0, 0)
    rows = (greedy, *longer, other)
    budget = Budget(seconds=1)
    for known in (rows, rows[1:]):
        found = choose_strategy(known, budget, ["small"], True, SPEEDS)
        assert found == make_strategy("cascade", stages[1])
    average = choose_strategy(rows, budget, ["small"], True, SPEEDS, on_average=True)
    assert average.name == "greedy"
