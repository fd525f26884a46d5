"""Corrections with what the examples did."""

from collections.abc import Callable

from fake_engine import FakeEngine

from midline.model.strategies.base import Surround
from midline.model.strategies.problem import Problem
from midline.model.strategies.run import Engines
from midline.model.strategies.self_repair import SelfRepair

FIXED = "```python\ndef double(x):\n    return x + x\n```"
WORSE = "```python\ndef double(x):\n    return y\n```"
Make = Callable[..., FakeEngine]


def test_the_failure_is_shown_and_the_correction_taken(
    problem: Problem, surround: Surround, engine_of: Make
) -> None:
    engine = engine_of(lambda prompt: FIXED if "is wrong" in prompt else "    return x * x\n")
    answer = SelfRepair(3).solve(problem, Engines(engine), surround=surround)
    assert answer.shown is not None and answer.shown.text == "    return x + x\n"
    assert "`double(3)` should give `6`, but it gave `9`" in engine.asked[1]
    assert len(engine.asked) == 2


def test_a_worse_correction_is_not_shown_and_rounds_end(
    problem: Problem, surround: Surround, engine_of: Make
) -> None:
    engine = engine_of(lambda prompt: WORSE if "is wrong" in prompt else "    return x * x\n")
    answer = SelfRepair(2).solve(problem, Engines(engine), surround=surround)
    assert answer.shown is not None and answer.shown.text == "    return x * x\n"
    assert len(engine.asked) == 3
    assert "NameError" in engine.asked[2]


def test_a_right_answer_is_not_repaired(
    problem: Problem, surround: Surround, engine_of: Make
) -> None:
    engine = engine_of("    return x + x\n")
    SelfRepair(3).solve(problem, Engines(engine), surround=surround)
    assert len(engine.asked) == 1
