"""What each side may take, with answers and a clock that are known."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from problems_made import write_problems

from midline.benchmarks.budget.actions import versus
from midline.benchmarks.budget.peer import PeerAnswer
from midline.benchmarks.main import main
from midline.model.sandbox import SandboxError, choose
from midline.model.strategies.candidate import Answer, Candidate
from midline.model.strategies.ledger import Ledger

PROMPT = 'def f{n}(x):\n    """Twice x.\n    >>> f{n}(2)\n    4\n    """\n'
TEST = "def check(candidate):\n    assert candidate(2) == 4\n    assert candidate(3) == 6\n"
RIGHT, NEAR = "    return x + x\n", "    return x * x\n"
PROBLEMS = 24


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return write_problems(tmp_path / "data", PROBLEMS, PROMPT, TEST)


class Sides:
    """llama.cpp takes 2 s of a problem and is near; Midline takes `seconds` in turn and is right.

    budgets: what Midline had for each problem. means: by which its strategy was chosen.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch, seconds: list[float]) -> None:
        self.now, self.seconds = 0.0, seconds
        self.budgets: list[float] = []
        self.means: list[float] = []
        patch = monkeypatch.setattr
        patch(versus, "Peer", lambda *args: SimpleNamespace(answer=self.answer))
        patch(versus, "load_engine", lambda name, **more: SimpleNamespace(name=name))
        patch(versus, "time", SimpleNamespace(perf_counter=lambda: self.now))
        patch(versus, "chosen_on_average", self.choose)
        patch(versus, "chosen_strategy", lambda *what: self)

    def answer(self, problem: Any) -> PeerAnswer:
        return PeerAnswer(NEAR, 7, 2.0)

    def choose(self, question: Any, problem: Any, engines: Any, mean: float) -> tuple[Any, float]:
        self.means.append(mean)
        return self, 5.0

    def solve(self, problem: Any, engines: Any, budget: Any, *more: Any) -> Answer:
        self.budgets.append(budget.seconds)
        self.now += self.seconds[(len(self.budgets) - 1) % len(self.seconds)]
        shown = Candidate(RIGHT)
        return Answer("known", shown, [shown], Ledger())

    def run(self, out: Path, data: Path, *words: str) -> dict[str, Any]:
        try:
            choose()
        except SandboxError as error:
            pytest.skip(str(error))
        written = out.with_suffix(".json")
        words = ("--out", str(out), "--data", str(data), "--json", str(written), *words)
        assert main(["budget", "versus", *words]) == 0
        found: dict[str, Any] = json.loads(written.read_text())
        return found


def test_each_answer_has_the_time_of_its_own_problem(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = Sides(monkeypatch, [1.0])
    found = sides.run(tmp_path / "out", data, "--problems", "6")
    assert set(sides.budgets) == {2.0}
    assert found["time_ratio"] == 0.5
    assert found["passed"] == {"peer": 0, "midline": 1}
    assert found["more_often_right"]["difference"] == 1


def test_on_average_what_one_leaves_another_may_take(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Warm-ups count for nothing. Of 2 s a problem 1 s is left, up to the most of 5 s."""
    sides = Sides(monkeypatch, [1.0])
    found = sides.run(tmp_path / "out", data, "--problems", "5", "--budget", "mean")
    assert sides.budgets[versus.WARM_UP :] == [2.0, 3.0, 4.0, 5.0, 5.0]
    assert sides.means[versus.WARM_UP :] == pytest.approx([2.0, 2.1, 2.2, 2.3, 2.4])
    assert found["time_ratio"] == 0.5
    sides.budgets.clear()
    sides.run(tmp_path / "out", data, "--problems", "7", "--budget", "mean")
    assert sides.budgets[versus.WARM_UP :] == [5.0, 5.0]  # it goes on where it was


def test_no_more_is_taken_than_there_is(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sides = Sides(monkeypatch, [1.0, 1.0, 1.0, 1.5, 2.5])
    found = sides.run(tmp_path / "out", data, "--problems", "2", "--budget", "mean")
    assert sides.budgets[versus.WARM_UP :] == [2.0, 2.5]
    assert found["time_ratio"] == 1.0
