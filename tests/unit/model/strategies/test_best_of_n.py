"""Samples, of which the examples and then the ranker choose."""

from collections.abc import Callable

from fake_engine import FakeEngine

from midline.model.strategies.base import Surround
from midline.model.strategies.best_of_n import BestOfN
from midline.model.strategies.problem import Problem
from midline.model.strategies.run import Engines

ANSWERS = "    return x * x\n|    return x + x\n|    return x(\n"
Make = Callable[..., FakeEngine]


def test_the_first_sample_is_greedy_and_the_prompt_is_read_once(
    problem: Problem, engine_of: Make
) -> None:
    engine = engine_of(ANSWERS)
    BestOfN(3).solve(problem, Engines(engine))
    (options,) = engine.options
    assert options.samples == 3 and options.greedy_first and options.temperature > 0


def test_what_passes_the_examples_goes_first(
    problem: Problem, surround: Surround, engine_of: Make
) -> None:
    answer = BestOfN(3).solve(problem, Engines(engine_of(ANSWERS)), surround=surround)
    assert answer.shown is not None and answer.shown.text == "    return x + x\n"
    assert answer.ledger.programs == 3


def test_without_examples_the_ranker_shows_nothing_that_does_not_parse(
    problem: Problem, engine_of: Make
) -> None:
    answer = BestOfN(3, examples=False).solve(problem, Engines(engine_of(ANSWERS)))
    assert answer.shown is not None and answer.shown.text != "    return x(\n"
    assert answer.ledger.programs == 0
