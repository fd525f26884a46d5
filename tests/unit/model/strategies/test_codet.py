"""Dual agreement with self-written tests."""

from collections.abc import Callable

import pytest
from fake_engine import FakeEngine

from midline.model.strategies.base import Surround
from midline.model.strategies.codet import CodeT, dual_agreement, read_tests
from midline.model.strategies.examples import Check
from midline.model.strategies.problem import Problem
from midline.model.strategies.run import Engines


def test_the_score_is_the_root_of_the_set_times_its_tests() -> None:
    passed = [(True, True, False), (True, True, False), (True, False, True), (False, False, False)]
    assert dual_agreement(passed) == pytest.approx([2 * 2**0.5, 2 * 2**0.5, 2, 0])


def test_tests_are_read_behind_the_call_that_was_begun() -> None:
    texts = ["5) == 10\nassert f(2) == 4  # known\nassert f(5) == 10\nassert g(1) == 2\nf(7) ==\n"]
    assert read_tests(texts, "f", {"f(2)"}) == (Check("f(5)", "10"),)


def test_tests_decide(
    problem: Problem, surround: Surround, engine_of: Callable[..., FakeEngine]
) -> None:
    def answer_to(prompt: str) -> str:
        wrote = "    return x * x\n|    return x * x\n|    return x + x\n"
        return "5) == 10\nassert double(7) == 14\n" if "Check that" in prompt else wrote

    engine = engine_of(answer_to)
    answer = CodeT(3).solve(problem, Engines(engine), surround=surround)
    assert answer.shown is not None and answer.shown.text == "    return x + x\n"
    assert [call.role for call in answer.ledger.calls] == ["answer", "tests"]
    assert engine.asked[1].startswith(problem.prompt)


def test_without_tests_the_ranker_decides(
    problem: Problem, surround: Surround, engine_of: Callable[..., FakeEngine]
) -> None:
    answer = CodeT(2).solve(problem, Engines(engine_of("    return 1\n")), surround=surround)
    assert answer.shown is not None
    assert answer.ledger.programs == 0
