"""The largest group of equal outputs wins, whatever the texts are."""

from collections.abc import Callable

import pytest
from fake_engine import FakeEngine

from midline.model.strategies.base import Surround
from midline.model.strategies.problem import Problem
from midline.model.strategies.run import Engines
from midline.model.strategies.self_consistency import SelfConsistency

MAJORITY = "    return x * x\n|    return x ** 2\n|    y = x\n    return y * y\n|    return x + x\n"


@pytest.mark.parametrize(("examples", "right"), [(False, False), (True, True)])
def test_the_majority_is_of_outputs_and_examples_may_overrule_it(
    examples: bool,
    right: bool,
    problem: Problem,
    surround: Surround,
    engine_of: Callable[..., FakeEngine],
) -> None:
    strategy = SelfConsistency(4, examples=examples)
    answer = strategy.solve(problem, Engines(engine_of(MAJORITY)), surround=surround)
    assert answer.shown is not None
    assert (answer.shown.text == "    return x + x\n") == right


def test_candidates_that_fail_everywhere_have_no_vote(
    problem: Problem, surround: Surround, engine_of: Callable[..., FakeEngine]
) -> None:
    engine = engine_of("    return y\n|    return z\n|    return y\n|    return x + x\n")
    answer = SelfConsistency(4).solve(problem, Engines(engine), surround=surround)
    assert answer.shown is not None and answer.shown.text == "    return x + x\n"
