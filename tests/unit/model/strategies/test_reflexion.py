"""Attempts with lessons."""

from collections.abc import Callable

from fake_engine import FakeEngine

from midline.model.strategies.base import Surround
from midline.model.strategies.problem import Problem
from midline.model.strategies.reflexion import Reflexion
from midline.model.strategies.run import Engines


def test_lessons_go_into_the_next_attempt(
    problem: Problem, surround: Surround, engine_of: Callable[..., FakeEngine]
) -> None:
    def answer_to(prompt: str) -> str:
        if "without code, say why" in prompt.replace("\n", " "):
            return "I squared it; add it to itself."
        if "Lessons from earlier attempts" in prompt:
            return "```python\ndef double(x):\n    return x + x\n```"
        return "    return x * x\n"

    engine = engine_of(answer_to)
    answer = Reflexion(3).solve(problem, Engines(engine), surround=surround)
    assert answer.shown is not None and answer.shown.text == "    return x + x\n"
    assert [call.role for call in answer.ledger.calls] == ["answer", "lesson", "retry"]
    assert "- I squared it; add it to itself." in engine.asked[2]


def test_the_last_attempt_is_shown_though_it_is_no_better(
    problem: Problem, surround: Surround, engine_of: Callable[..., FakeEngine]
) -> None:
    engine = engine_of(lambda p: "```\nreturn 7\n```" if "Lessons" in p else "    return x * x\n")
    answer = Reflexion(1).solve(problem, Engines(engine), surround=surround)
    assert answer.shown is not None and "7" in answer.shown.text
