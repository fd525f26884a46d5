"""The selector cannot reach the benchmark's hidden tests."""

import gc
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from fake_engine import FakeEngine

from midline.benchmarks.budget.problems import problem_of
from midline.benchmarks.mbxp.tasks import Task
from midline.model.strategies.base import Surround
from midline.model.strategies.registry import STRATEGIES, make_strategy
from midline.model.strategies.run import Engines, Run

MARK = "hidden_mark_" + "of_this_test"
PROMPT = 'def double(x):\n    """Twice x.\n    >>> double(2)\n    4\n    """\n'


def reachable(start: object) -> list[object]:
    """Everything that references lead to, but for modules, classes and the code of functions."""
    seen: dict[int, object] = {}
    waiting = [start]
    while waiting:
        found = waiting.pop()
        if id(found) in seen or isinstance(found, ModuleType | type):
            continue
        seen[id(found)] = found
        if callable(found) and hasattr(found, "__globals__"):
            waiting += [cell.cell_contents for cell in getattr(found, "__closure__", ()) or ()]
            waiting += [getattr(found, "__defaults__", None), getattr(found, "__self__", None)]
        else:
            waiting += gc.get_referents(found)
    return list(seen.values())


@pytest.mark.parametrize("name", STRATEGIES)
def test_no_reference_leads_from_a_run_to_the_tests(
    name: str,
    surround: Surround,
    engine_of: Callable[..., FakeEngine],
    evaluated: object,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    test = f"def check(candidate):\n    assert candidate(1) == 2  # {MARK}\n"
    task = Task("MBPP/1", "python", PROMPT, test, "double", canonical_solution=f"    # {MARK}\n")
    runs: list[Run] = []

    def made(*args: Any) -> Run:
        runs.append(Run(*args))
        return runs[-1]

    monkeypatch.setattr("midline.model.strategies.base.Run", made)
    engine = engine_of("    return x * x\n|    return 3\n")
    answer = make_strategy(name).solve(problem_of(task), Engines(engine), surround=surround)
    assert len(runs) == 1
    texts = [found for found in reachable([runs, answer]) if isinstance(found, str)]
    assert PROMPT in texts
    assert not any(MARK in text for text in texts)
    assert not any(MARK in source for source in evaluated.sources)  # type: ignore[attr-defined]
    assert not any(MARK in text for text in engine.asked)
    assert any(MARK in text for text in reachable(task) if isinstance(text, str))
