"""Repairs of parallel samples, and an input that tells them apart."""

from collections.abc import Callable

import pytest
from fake_engine import FakeEngine

from midline.model.strategies.base import Surround
from midline.model.strategies.problem import Problem
from midline.model.strategies.run import Engines
from midline.model.strategies.s_star import SStar

SAMPLES = "    return x + x\n|    return {2: 4, 3: 6}.get(x, -1)\n|    return y\n"


@pytest.mark.parametrize(
    ("said", "text"),
    [
        ("It doubles. Answer: 1", "    return x + x\n"),
        ("A table. Answer: 2", "    return {2: 4, 3: 6}.get(x, -1)\n"),
    ],
)
def test_the_judgement_chooses_among_those_that_pass(
    said: str,
    text: str,
    problem: Problem,
    surround: Surround,
    engine_of: Callable[..., FakeEngine],
) -> None:
    def answer_to(prompt: str) -> str:
        if "What should" in prompt:
            order = prompt.index("-1") > prompt.index("\n1. ") + 6
            return said if order else said.replace("1", "3").replace("2", "1").replace("3", "2")
        return "```\nreturn y\n```" if "is wrong" in prompt else SAMPLES

    engine = engine_of(answer_to)
    answer = SStar(3, 1).solve(problem, Engines(engine), surround=surround)
    assert answer.shown is not None and answer.shown.text == text
    assert [call.role for call in answer.ledger.calls] == ["answer", "repair", "judgement"]


def test_what_is_repaired_is_shown(
    problem: Problem, surround: Surround, engine_of: Callable[..., FakeEngine]
) -> None:
    fixed = "```python\ndef double(x):\n    return x + x\n```"
    engine = engine_of(lambda p: fixed if "is wrong" in p else "    return x * x\n|    return y\n")
    answer = SStar(2, 1).solve(problem, Engines(engine), surround=surround)
    assert answer.shown is not None and answer.shown.text == "    return x + x\n"
