"""Layers, models and aggregators."""

from collections.abc import Callable

import pytest
from fake_engine import FakeEngine

from midline.model.strategies.base import Surround
from midline.model.strategies.mixture_of_agents import Aggregator, MixtureOfAgents
from midline.model.strategies.problem import Problem
from midline.model.strategies.run import Engines

BLOCK = "```python\ndef double(x):\n    return {}\n```"
Make = Callable[..., FakeEngine]


def engine_that_synthesizes(make: Make, body: str, **more: object) -> FakeEngine:
    def answer_to(prompt: str) -> str:
        if "Answers of the models" in prompt:
            return BLOCK.format(body)
        return BLOCK.format("x * x") if "Complete this" in prompt else "    return x * x\n"

    return make(answer_to, **more)


@pytest.mark.parametrize(("layers", "calls"), [(1, 2), (2, 3), (3, 4)])
def test_layers(
    layers: int, calls: int, problem: Problem, surround: Surround, engine_of: Make
) -> None:
    engine = engine_that_synthesizes(engine_of, "x + x")
    answer = MixtureOfAgents(layers).solve(problem, Engines(engine), surround=surround)
    assert len(engine.asked) == calls
    assert answer.shown is not None
    assert answer.shown.text == ("    return x + x\n" if layers > 1 else "    return x * x\n")
    if layers > 1:
        system = engine.asked[-1].partition("<|im_end|>")[0]
        assert "system" in system and "1. ```python" in system


def test_both_models_propose_and_the_large_one_aggregates(
    problem: Problem, surround: Surround, engine_of: Make
) -> None:
    small = engine_that_synthesizes(engine_of, "x + x", name="small")
    large = engine_that_synthesizes(engine_of, "2 * x", name="large")
    answer = MixtureOfAgents(3, mixed=True).solve(problem, Engines(small, large), surround=surround)
    assert answer.shown is not None and answer.shown.text == "    return 2 * x\n"
    assert [call.model for call in answer.ledger.calls] == [
        "small", "small", "large", "large", "small", "large", "large",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("aggregator", "calls"),
    [("logprob", 2), ("agreement", 2), ("disagreement", 2), ("synthesis", 3)],
)
def test_aggregators(
    aggregator: Aggregator, calls: int, problem: Problem, surround: Surround, engine_of: Make
) -> None:
    engine = engine_that_synthesizes(engine_of, "x + x")
    MixtureOfAgents(2, aggregator).solve(problem, Engines(engine), surround=surround)
    assert len(engine.asked) == calls


def test_disagreement_asks_for_a_synthesis(
    problem: Problem, surround: Surround, engine_of: Make
) -> None:
    def answer_to(prompt: str) -> str:
        if "Answers of the models" in prompt:
            return BLOCK.format("x + x")
        if "Complete this" in prompt:
            return f"{BLOCK.format('x')}|{BLOCK.format('1')}"
        return "    return 2\n|    return 3\n"

    engine = engine_of(answer_to)
    answer = MixtureOfAgents(2, "disagreement").solve(problem, Engines(engine), surround=surround)
    assert answer.shown is not None and answer.shown.text == "    return x + x\n"
