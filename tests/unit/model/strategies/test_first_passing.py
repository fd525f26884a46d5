"""Samples that are drawn together end with the first that passes the examples."""

import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from engine_models import engine
from fake_engine import FakeEngine

from midline.kernels import CancelFlag
from midline.model.errors import MidlineError
from midline.model.strategies.base import Surround
from midline.model.strategies.budget import UNLIMITED, Watch
from midline.model.strategies.examples import Check
from midline.model.strategies.first_passing import FirstPassing
from midline.model.strategies.problem import Problem
from midline.model.strategies.programs import Observation, Observed, Programs
from midline.model.strategies.run import TEMPERATURE, Draw, Engines, Run

Make = Callable[..., FakeEngine]
RIGHT, WRONG = "    return x + x\n", "    return x * x * x\n"
LONG = "    return " + "x + " * 200 + "x\n"


def test_the_first_that_passes_ends_the_longer_ones(
    problem: Problem, surround: Surround, engine_of: Make
) -> None:
    assert surround.make_programs is not None
    engine = engine_of(f"{WRONG}|{RIGHT}|{LONG}", seconds=0.002)
    with Watch(UNLIMITED) as watch:
        run = Run(problem, Engines(engine), watch, surround.make_programs(threading.Event()))
        made = run.complete(Draw(3, TEMPERATURE), first_passing=True)
    assert [each.text for each in made] == [WRONG, RIGHT]
    assert run.passes(made[1]) and not run.passes(made[0])
    assert [c.finish_reason for c in run.candidates] == ["stop", "stop", "cancelled"]
    assert engine.written < len(engine.tokenizer.encode(LONG))
    assert not watch.is_over


def test_all_are_drawn_where_none_passes(
    problem: Problem, surround: Surround, engine_of: Make
) -> None:
    assert surround.make_programs is not None
    engine = engine_of(f"{WRONG}|    return x\n")
    with Watch(UNLIMITED) as watch:
        run = Run(problem, Engines(engine), watch, surround.make_programs(threading.Event()))
        made = run.complete(Draw(4, TEMPERATURE), first_passing=True)
    assert len(made) == 4
    assert run.ledger.programs == 2  # equal texts are executed once


class Broken(Programs):
    """A sandbox that is gone."""

    def __init__(self) -> None:
        self.executed = 0

    def observe(
        self, programs: Sequence[str], language: str, checks: Sequence[Check]
    ) -> list[Observed]:
        raise MidlineError("the sandbox is gone; start again")


def test_an_error_of_an_execution_is_raised(problem: Problem, engine_of: Make) -> None:
    with Watch(UNLIMITED) as watch, pytest.raises(MidlineError, match="gone"):
        Run(problem, Engines(engine_of(WRONG)), watch, Broken()).complete(
            Draw(2, TEMPERATURE), first_passing=True
        )


class Passing(Programs):
    """Everything passes."""

    def __init__(self) -> None:
        self.executed = 0

    def observe(
        self, programs: Sequence[str], language: str, checks: Sequence[Check]
    ) -> list[Observed]:
        self.executed += len(programs)
        return [(Observation(True, "4"),) * len(checks)] * len(programs)


def test_a_real_engine_ends_its_batch(problem: Problem, variants: Callable[[str], Path]) -> None:
    """One stops at its fourth token and passes; the others would go on for long."""
    from midline.model.engines.base import Request

    loaded = engine(variants("qwen2"), threads=1)
    loaded.tokenizer.end_tokens = frozenset()
    flag = CancelFlag()
    with Watch(UNLIMITED) as watch:
        run = Run(problem, Engines(loaded), watch, Passing())
        with FirstPassing(run, lambda ids: "x", flag) as first:
            request = Request([5, 6, 7], stop=lambda n, ids: n == 1 and len(ids) == 4, on_end=first)
            found = loaded.generate(request, Draw(3, TEMPERATURE).options(20_000), cancel=flag)
    assert [c.finish_reason for c in found.completions] == ["cancelled", "stop", "cancelled"]
    assert first.passed
