"""Agents that read each other."""

from collections.abc import Callable

from fake_engine import FakeEngine

from midline.model.strategies.base import Surround
from midline.model.strategies.debate import Debate
from midline.model.strategies.problem import Problem
from midline.model.strategies.run import Engines

ANSWER = "```python\ndef double(x):\n    return {}\n```"


def test_each_agent_reads_the_others_and_not_itself(
    problem: Problem, surround: Surround, engine_of: Callable[..., FakeEngine]
) -> None:
    first = "|".join(ANSWER.format(each) for each in ("x + 1", "x + 2", "x + 3"))
    engine = engine_of(lambda p: ANSWER.format("x + x") if "other agents" in p else first)
    answer = Debate(3, 2).solve(problem, Engines(engine), surround=surround)
    assert answer.shown is not None and answer.shown.text == "    return x + x\n"
    assert len(engine.asked) == 4
    for number, prompt in enumerate(engine.asked[1:], 1):
        own, others = prompt.split("These are the answers of other agents")
        assert f"x + {number}" in own and f"x + {number}\n" not in others
    assert len({options.seed for options in engine.options[1:]}) == 3


def test_one_round_is_a_majority(problem: Problem, engine_of: Callable[..., FakeEngine]) -> None:
    texts = [ANSWER.format(each) for each in ("x", "x + x", "x + x")]
    answer = Debate(3, 1).solve(problem, Engines(engine_of("|".join(texts))))
    assert answer.shown is not None and answer.shown.text == "    return x + x\n"
