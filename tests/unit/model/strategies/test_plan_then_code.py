"""A plan, and the code behind it."""

from collections.abc import Callable

from fake_engine import FakeEngine

from midline.model.strategies.plan_then_code import PlanThenCode
from midline.model.strategies.problem import Problem
from midline.model.strategies.run import Engines


def test_the_plan_is_carried_out_and_its_prompt_read_once(
    problem: Problem, engine_of: Callable[..., FakeEngine]
) -> None:
    code = "```python\ndef double(x):\n    return x + x\n```"
    engine = engine_of(lambda p: code if "carry out the plan" in p else "1. Add x to itself.")
    answer = PlanThenCode().solve(problem, Engines(engine))
    assert answer.shown is not None and answer.shown.text == "    return x + x\n"
    assert "1. Add x to itself." in engine.asked[1]
    first, second = answer.ledger.calls
    assert (first.role, second.role) == ("plan", "answer")
    assert second.cached_tokens >= first.prompt_tokens - 1
