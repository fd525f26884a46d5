"""Costs, intervals, areas and crossings of curves that are known."""

import math
from collections.abc import Sequence

import numpy as np
import pytest

from midline.benchmarks.budget.measures import (
    Measured,
    Outcome,
    area,
    at_cost,
    crossings,
    difference,
    interval,
    seconds_of,
)
from midline.benchmarks.budget.tables import (
    against_plain,
    against_self_consistency,
    family_of,
    growth,
    rank_agreement,
)
from midline.benchmarks.budget.within_peer import (
    on_average_sentence,
    within_peer,
    within_peer_on_average,
)
from midline.model.strategies.auto import Part
from midline.model.strategies.registry import make_strategy
from midline.model.strategies.speed import PROGRAM_SECONDS, QUESTION_SECONDS, Speed

SPEED = Speed(0.001, ((1, 0.01), (2, 0.012), (4, 0.02)))


def arm(name: str, cost: float, passed: Sequence[float], seconds: float | None = None) -> Measured:
    outcomes = {
        str(at): Outcome(p, cost, cost if seconds is None else seconds, cost, 0.0, 0.0, p)
        for at, p in enumerate(passed)
    }
    return Measured(name, "small", outcomes)


def test_steps_have_the_rows_of_completions_that_are_not_over() -> None:
    assert SPEED.call_seconds(100, [10, 30]) == pytest.approx(0.1 + 10 * 0.012 + 20 * 0.01)
    assert SPEED.step_seconds(3) == pytest.approx(0.016)
    assert SPEED.step_seconds(8) == pytest.approx(0.04)
    assert SPEED.call_seconds(0, []) == 0


def test_seconds_of_a_row_count_executions_and_not_what_was_cached() -> None:
    call = {"model": "m", "prompt_tokens": 50, "cached_tokens": 40, "generated": [10]}
    row = {"calls": [call], "programs": 2}
    expected = 0.01 + 0.1 + 2 * PROGRAM_SECONDS + QUESTION_SECONDS
    assert seconds_of(row, {"m": SPEED}) == pytest.approx(expected)
    assert math.isnan(seconds_of(row, {}))


def test_the_interval_holds_the_mean_and_is_paired() -> None:
    first = np.array([1.0, 0.0] * 50)
    low, high = interval(first)
    assert low < 0.5 < high
    found = difference(first + 0.1, first)
    assert found["lower_bound"] == found["upper_bound"] == found["difference"] == 0.1
    assert math.isnan(interval(np.array([]))[0])


def test_a_curve_is_read_between_its_points_along_the_logarithm() -> None:
    ids = ["0", "1"]
    family = [arm("a-1", 10, [0, 0]), arm("a-2", 40, [1, 0])]
    middle = at_cost(family, "tokens", 20, ids)
    assert middle is not None and middle.tolist() == [0.5, 0.0]
    assert at_cost(family, "tokens", 5, ids) is None
    dear = at_cost(family, "tokens", 400, ids)
    assert dear is not None and dear.tolist() == [1, 0]
    assert area(family, "tokens", ids, (10, 40)) == pytest.approx(0.25, abs=0.01)
    assert area(family, "tokens", ids, (1, 10)) < 0.05


def test_curves_that_cross_once() -> None:
    ids = ["0", "1"]
    steady = [arm("a-1", 10, [1, 0]), arm("a-2", 40, [1, 0])]
    rising = [arm("b-1", 10, [0, 0]), arm("b-2", 40, [1, 1])]
    (budget,) = crossings(steady, rising, "tokens", ids)
    assert budget == pytest.approx(20, rel=0.05)
    assert crossings(steady, steady, "tokens", ids) == []


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("greedy", "sampling"),
        ("sampling-8", "sampling"),
        ("sampling+examples-8", "sampling+examples"),
        ("debate-2x3", "debate"),
        ("moa-2-synthesis", "moa-synthesis"),
        ("mixed_moa-1-logprob", "mixed_moa-logprob"),
        ("cascade+examples-1-8-2", "cascade+examples"),
        ("plan_then_code", "plan_then_code"),
    ],
)
def test_families(name: str, family: str) -> None:
    assert family_of(name) == family


def test_arms_are_compared_with_plain_sampling_at_their_cost() -> None:
    plain = [arm("greedy", 10, [0] * 6), arm("sampling-4", 40, [1] * 3 + [0] * 3, 20)]
    talk = arm("debate-2x2", 40, [0] * 6, 15)
    rows = {row["axis"]: row for row in against_plain([*plain, talk], "none")}
    assert rows["tokens"]["difference"] == -0.5
    assert 0 > rows["seconds"]["difference"] > -0.5
    assert rank_agreement([*plain, talk], "none")["spearman"] is None


def test_strategies_that_ask_in_rounds_are_compared_with_self_consistency() -> None:
    voting = [arm("greedy", 10, [0] * 6), arm("self_consistency-4", 40, [1] * 6)]
    asked = [arm("debate-2x2", 40, [0] * 6), arm("moa-2-synthesis", 80, [1] * 6)]
    rows = against_self_consistency([*voting, *asked, arm("sampling-4", 40, [1] * 6)])
    found = {row["arm"]: row["difference"] for row in rows if row["axis"] == "tokens"}
    assert found == {"debate-2x2": -1, "moa-2-synthesis": 0}
    assert {row["against"] for row in rows} == {"self_consistency"}
    assert against_self_consistency(asked) == []


def test_more_budget_is_more_rounds_of_the_same_family() -> None:
    arms = [arm("codet-2", 10, [1] * 6), arm("codet-8", 20, [0] * 6), arm("greedy", 5, [1] * 6)]
    (row,) = growth(arms)
    assert (row["from"], row["to"], row["difference"]) == ("codet-2", "codet-8", -1)


def test_the_arm_within_the_peers_time_is_chosen_on_one_half_and_reported_on_the_other() -> None:
    """And none of which few problems are known."""
    halves = {str(at): at % 2 for at in range(6 * 24)}
    peer = arm("llama.cpp", 10, [1, 0, 1, 0, 0, 0] * 24)
    good = arm("good", 9, [1, 1, 1, 1, 0, 0] * 24)
    lucky = arm("lucky", 9, [1, 0, 1, 0, 1, 0] * 24)
    slow = arm("slow", 11, [1] * 6 * 24)
    few = arm("few", 1, [1] * 6 * 9)
    found = within_peer([good, lucky, slow, few], peer, halves)
    assert found is not None
    assert found["arm"] == "lucky"
    assert found["more_often_right"]["difference"] == 0
    assert within_peer([slow], peer, halves) is None


def test_on_average_answers_are_cut_off_at_the_limit() -> None:
    peer = arm("llama.cpp", 10, [1, 0, 0, 0])
    parts = {"0": [Part(5, 1, 1, 0)], "1": [Part(30, 1, 1, 0), Part(10, 1, 1, 0)]}
    found = within_peer_on_average(parts, peer, make_strategy("greedy"), 20)
    assert found is not None
    assert found["passed"] == {"midline": 0.75, "llama.cpp": 0.5}
    assert found["seconds"] == {"midline": (5 + 15) / 2, "llama.cpp": 10}
    assert found["more_often_right"]["difference"] == 0.25
    assert "+25.0" in on_average_sentence(found)
    assert within_peer_on_average({}, peer, make_strategy("greedy"), 20) is None
    assert "not computed" in on_average_sentence(None)
