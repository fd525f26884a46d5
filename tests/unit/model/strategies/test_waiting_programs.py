"""Interpreters that wait: the same observations, the same limits, and nothing left behind."""

import threading
import time
from collections.abc import Callable

import pytest
from fake_engine import FakeEngine

from midline.model.sandbox import SandboxError, choose
from midline.model.sandbox.execution import RUNNING
from midline.model.strategies.base import Surround
from midline.model.strategies.examples import Check
from midline.model.strategies.problem import Problem
from midline.model.strategies.programs import NO_ANSWER, Programs
from midline.model.strategies.registry import make_strategy
from midline.model.strategies.run import Engines
from midline.model.strategies.waiting_programs import WaitingPrograms

DOUBLE = "def f(x):\n    return x + x\n"
CHECKS = (Check("f(1)", "2"), Check("f(2)", "5"), Check("f()", "1"))


@pytest.fixture
def waiting() -> WaitingPrograms:
    """In the strongest sandbox that works here."""
    try:
        return WaitingPrograms(choose(), threading.Event())
    except SandboxError as error:
        pytest.skip(str(error))


def settled() -> bool:
    """Whether all processes of this one end, in time."""
    end = time.monotonic() + 20
    while RUNNING and time.monotonic() < end:
        time.sleep(0.02)
    return not RUNNING


def test_the_same_is_observed(waiting: WaitingPrograms, programs: Programs) -> None:
    sources = [DOUBLE, "def f(x) return\n", "def f(x):\n    return '\udc80'\n"]
    plain = programs.observe(sources, "python", CHECKS)
    for _ in range(2):
        waiting.prepare("python")
        waiting.prepare("python")
        assert len(RUNNING) <= 1
        assert waiting.observe(sources, "python", CHECKS) == plain
    assert waiting.observe(sources, "python", CHECKS) == plain  # nothing waits
    assert waiting.executed == 9
    assert settled()


def test_one_that_never_ends_is_ended(waiting: WaitingPrograms) -> None:
    waiting.seconds = 0.5
    waiting.prepare("python")
    endless, after = waiting.observe(["while True: pass\n", DOUBLE], "python", CHECKS[:1])
    assert endless[0].error == NO_ANSWER
    assert after[0].passed
    assert settled()


def test_files_of_the_user_are_out_of_reach(waiting: WaitingPrograms) -> None:
    program = f"def f(x):\n    return open({__file__!r}).read()\n"
    waiting.prepare("python")
    (found,) = waiting.observe([program], "python", CHECKS[:1])
    assert found[0].outcome in ("! FileNotFoundError", "! PermissionError")


@pytest.mark.parametrize("how", ["close", "stop"])
def test_one_that_is_not_needed_ends(waiting: WaitingPrograms, how: str) -> None:
    waiting.prepare("python")
    assert waiting.stop is not None
    waiting.stop.set() if how == "stop" else waiting.close()
    waiting.close()
    assert settled()


def test_a_stopped_execution_ends(waiting: WaitingPrograms) -> None:
    waiting.prepare("python")
    assert waiting.stop is not None
    waiting.stop.set()
    (found,) = waiting.observe(["while True: pass\n"], "python", CHECKS[:1])
    assert found[0].error == NO_ANSWER
    assert settled()


def test_a_strategy_leaves_none_waiting(
    waiting: WaitingPrograms, problem: Problem, engine_of: Callable[..., FakeEngine]
) -> None:
    """The interpreter that was started for the next execution ends with the answer."""
    surround = Surround(lambda stop: waiting)
    engine = engine_of("    return x\n|    return x + x\n")
    answer = make_strategy("cascade").solve(problem, Engines(engine), surround=surround)
    assert answer.shown is not None and answer.shown.text == "    return x + x\n"
    assert answer.ledger.programs == 2
    assert settled()
