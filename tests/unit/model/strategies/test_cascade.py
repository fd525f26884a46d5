"""Stages, and when an answer is trusted."""

from collections.abc import Callable

import pytest
from fake_engine import FakeEngine

from midline.model.strategies.base import Surround
from midline.model.strategies.cascade import Cascade
from midline.model.strategies.problem import Problem
from midline.model.strategies.run import Engines

RIGHT, WRONG = "    return x + x\n", "    return x * x\n|    return x\n"
Make = Callable[..., FakeEngine]


def test_the_first_stage_that_passes_is_the_last(
    problem: Problem, surround: Surround, engine_of: Make
) -> None:
    small, large = engine_of(RIGHT), engine_of(RIGHT)
    answer = Cascade().solve(problem, Engines(small, large), surround=surround)
    assert answer.shown is not None and answer.shown.text == RIGHT
    assert (len(small.asked), len(large.asked)) == (1, 0)


def test_the_large_model_is_asked_where_the_small_one_fails(
    problem: Problem, surround: Surround, engine_of: Make
) -> None:
    small, large = engine_of(WRONG), engine_of(RIGHT)
    answer = Cascade().solve(problem, Engines(small, large), surround=surround)
    assert answer.shown is not None and answer.shown.text == RIGHT
    assert (len(small.asked), len(large.asked)) == (2, 1)
    assert [options.samples for options in small.options] == [1, 8]


def test_without_execution_equal_texts_are_trusted(problem: Problem, engine_of: Make) -> None:
    for answer, asked in ((RIGHT, 0), ("    return 1\n|    return 2\n|    return 3\n", 1)):
        small, large = engine_of(answer), engine_of(RIGHT)
        Cascade((("small", 3), ("large", 1))).solve(problem, Engines(small, large))
        assert len(large.asked) == asked


@pytest.mark.parametrize(("agreement", "asked"), [(0.0, 0), (0.3, 0), (0.9, 1)])
def test_agreement_of_outputs_can_be_asked_for(
    agreement: float, asked: int, problem: Problem, surround: Surround, engine_of: Make
) -> None:
    small = engine_of("    return x + x\n|    return 2 * x\n|    return 0\n|    return 1\n")
    large = engine_of(RIGHT)
    strategy = Cascade((("small", 4), ("large", 1)), agreement)
    strategy.solve(problem, Engines(small, large), surround=surround)
    assert len(large.asked) == asked
