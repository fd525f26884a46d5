"""What holds for every strategy: the budget, the cancellation, and prompts that lack something."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace

import pytest
from fake_engine import FakeEngine

from midline.model.strategies.base import NO_EXAMPLES, NO_EXECUTION, Surround
from midline.model.strategies.budget import Budget
from midline.model.strategies.examples import Check
from midline.model.strategies.problem import Problem, read_problem
from midline.model.strategies.programs import Programs
from midline.model.strategies.registry import STRATEGIES, make_strategy
from midline.model.strategies.run import Engines

WRONG = "    return x * x\n|    return x\n"
Make = Callable[..., FakeEngine]


@pytest.mark.parametrize("name", STRATEGIES)
def test_without_limits_there_is_an_answer(
    name: str, problem: Problem, surround: Surround, engine_of: Make
) -> None:
    answer = make_strategy(name).solve(problem, Engines(engine_of(WRONG)), surround=surround)
    assert answer.strategy == name
    assert answer.shown is not None
    assert answer.shown in answer.candidates
    assert answer.ended == ""


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("prompt", ["Why is the sky blue?", "def double(x):\n"])
def test_without_examples_the_model_alone_decides(
    name: str, prompt: str, surround: Surround, engine_of: Make
) -> None:
    problem = read_problem(prompt, "chat" if "?" in prompt else "raw")
    answer = make_strategy(name).solve(problem, Engines(engine_of(WRONG)), surround=surround)
    assert answer.shown is not None
    assert (NO_EXAMPLES in answer.notes) == STRATEGIES[name].needs_execution
    if name != "codet":
        assert answer.ledger.programs == 0


@pytest.mark.parametrize("name", STRATEGIES)
def test_nothing_is_executed_unless_asked(name: str, problem: Problem, engine_of: Make) -> None:
    answer = make_strategy(name).solve(problem, Engines(engine_of(WRONG)))
    assert answer.shown is not None
    assert answer.ledger.programs == 0
    assert (NO_EXECUTION in answer.notes) == STRATEGIES[name].needs_execution


@pytest.mark.parametrize("name", STRATEGIES)
@pytest.mark.parametrize("limit", [1, 80, 200, 400])
def test_no_more_tokens_than_the_budget(
    name: str, limit: int, problem: Problem, surround: Surround, engine_of: Make
) -> None:
    engine = engine_of(WRONG)
    answer = make_strategy(name).solve(
        problem, Engines(engine), Budget(tokens=limit), surround=surround
    )
    assert answer.ledger.tokens <= limit
    if answer.ended:
        assert answer.ended == "budget"
    else:
        assert answer.shown is not None
    prompt = len(engine.tokenizer.encode(problem.prompt))
    if limit <= prompt:
        assert answer.shown is None
        assert engine.written == 0


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_cancellation_ends_it_in_the_middle_of_a_call(
    name: str, problem: Problem, surround: Surround, engine_of: Make
) -> None:
    """Of a layer, too, in a mixture of agents: what was written before is the answer."""
    cancel = threading.Event()
    last = 1 if name in ("greedy", "best_of_n", "self_consistency") else 2

    def answer_to(prompt: str) -> str:
        if len(engine.asked) == last and not cancel.is_set():
            cancel.set()
            time.sleep(0.1)  # several looks of the watch
        return WRONG

    engine = engine_of(answer_to, seconds=0.002)
    found = make_strategy(name).solve(problem, Engines(engine), cancel=cancel, surround=surround)
    assert found.ended == "cancelled"
    assert len(engine.asked) == last
    assert last == 1 or name == "plan_then_code" or found.shown is not None


def test_the_time_ends_it(problem: Problem, engine_of: Make) -> None:
    engine = engine_of("    return " + "x + " * 5000 + "x\n", seconds=0.02)
    found = make_strategy("greedy").solve(problem, Engines(engine), Budget(seconds=2))
    assert found.ended == "budget"
    assert found.shown is not None
    assert found.shown.finish_reason == "cancelled"


def test_finished_candidates_go_before_unfinished_ones(problem: Problem, engine_of: Make) -> None:
    short, long = "    return x\n", "    return " + "x + " * 60 + "x\n"
    engine = engine_of(f"{long}|{short}|{long}", seconds=0.0)
    tokens = len(engine.tokenizer.encode(problem.prompt))
    spent = tokens + len(engine.tokenizer.encode(long)) + len(engine.tokenizer.encode(short)) + 9
    found = make_strategy("best_of_n", {"samples": 3}).solve(
        problem, Engines(engine), Budget(tokens=spent)
    )
    assert found.ended == "budget"
    assert found.shown is not None
    assert found.shown.finish_reason == "stop"


def test_what_was_finished_when_the_tokens_were_spent_is_executed(
    problem: Problem, surround: Surround, engine_of: Make
) -> None:
    wrong, right = "    return x\n", "    return x + x\n"
    long = "    return " + "x + " * 60 + "x\n"
    engine = engine_of(f"{wrong}|{right}|{long}")
    sizes = [len(engine.tokenizer.encode(text)) for text in (problem.prompt, wrong, right)]
    found = make_strategy("best_of_n", {"samples": 3}).solve(
        problem, Engines(engine), Budget(tokens=sum(sizes) + 9), surround=surround
    )
    assert found.ended == "budget"
    assert found.shown is not None and found.shown.text == right


@pytest.mark.parametrize("name", STRATEGIES)
def test_examples_that_raise_are_failures_that_end_nothing(
    name: str, problem: Problem, surround: Surround, engine_of: Make
) -> None:
    raising = replace(problem, examples=(Check("double(2)", "1 / 0"), Check("double()", "4")))
    answer = make_strategy(name).solve(raising, Engines(engine_of(WRONG)), surround=surround)
    assert answer.ended == ""
    assert answer.shown is not None
    assert not any(each.passed for found in answer.observed.values() for each in found)


def test_self_written_tests_that_never_end_are_ended(
    problem: Problem, programs: Programs, engine_of: Make
) -> None:
    """The second sample never ends in the test that the model wrote, and the first one does."""

    def answer_to(prompt: str) -> str:
        endless = "    while x < 0:\n        pass\n    return x + x\n"
        samples = f"    return x + x\n|{endless}"
        return "-1) == -2\nassert double(7) == 14\n" if "Check that" in prompt else samples

    programs.seconds = 0.5
    answer = make_strategy("codet", {"samples": 2}).solve(
        problem, Engines(engine_of(answer_to)), surround=Surround(lambda stop: programs)
    )
    assert answer.ended == ""
    assert answer.ledger.programs == 2
    assert answer.shown is not None and answer.shown.text == "    return x + x\n"
