"""Questions are answered by intervals alone."""

from typing import Any

import pytest

from midline.benchmarks.budget.answers import answers


def found(difference: float, low: float, high: float) -> dict[str, Any]:
    return {"problems": 9, "difference": difference, "lower_bound": low, "upper_bound": high}


def report(**more: Any) -> dict[str, Any]:
    nothing = {"spearman": None, "arms": 0, "tokens": [], "seconds": []}
    empty: dict[str, Any] = {
        "against_self_consistency": [], "growth": [], "arms": [], "rankings": nothing
    }  # fmt: skip
    return empty | more


@pytest.mark.parametrize(
    ("interval", "answer"),
    [
        ((-0.3, -0.1), "yes"),
        ((0.1, 0.3), "no"),
        ((-0.3, 0.1), "not shown"),
        ((-0.3, 0.0), "not shown"),
    ],
)
def test_self_consistency_beats_what_is_less_often_right(
    interval: tuple[float, float], answer: str
) -> None:
    row = {"arm": "debate-2x2", "models": "small", "axis": "tokens", "against": "self_consistency"}
    others = [row | {"axis": "flops"}, row | {"arm": "codet-2"}]
    rows = [each | found(sum(interval) / 2, *interval) for each in (row, *others)]
    (one,) = answers(report(against_self_consistency=rows))
    assert one["question"] == "Does self_consistency beat debate-2x2 at equal tokens?"
    assert (one["answer"], one["problems"]) == (answer, 9)
    assert one["difference"] == -sum(interval) / 2
    assert one["lower_bound"] < one["upper_bound"]


def test_more_rounds_and_aggregators() -> None:
    grown = {"from": "debate-2x2", "to": "debate-2x3", "models": "small"} | found(-0.2, -0.3, -0.1)
    other = {"from": "codet-2", "to": "codet-8", "models": "small"} | found(0.2, 0.1, 0.3)
    arm = {"arm": "mixed_moa-2-synthesis", "models": "both"}
    plain = {"arm": "greedy", "models": "both", "rescue_over_harm": found(0, 0, 0)}
    arms = [arm | {"rescue_over_harm": found(-0.2, -0.3, -0.1)}, plain]
    worse, rescue = answers(report(growth=[grown, other], arms=arms))
    assert worse["question"] == "Is debate-2x3 worse than debate-2x2?"
    assert (worse["answer"], rescue["answer"]) == ("yes", "no")


@pytest.mark.parametrize(("second", "said"), [("a", "the same arm leads"), ("b", "another")])
def test_rankings(second: str, said: str) -> None:
    rankings = {"spearman": 0.5, "arms": 3, "tokens": ["a"], "seconds": [second]}
    (one,) = answers(report(rankings=rankings))
    assert "rank correlation 0.50 of 3 arms" in one["answer"] and said in one["answer"]
