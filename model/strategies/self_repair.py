"""Self-repair: a greedy answer, then corrections with what the examples did (arXiv 2306.09896)."""

from dataclasses import dataclass

from midline.model.strategies.base import Strategy
from midline.model.strategies.candidate import Candidate
from midline.model.strategies.code_answers import whole_function
from midline.model.strategies.feedback import failures
from midline.model.strategies.prompts import repair
from midline.model.strategies.run import Draw, Run


@dataclass(frozen=True)
class SelfRepair(Strategy):
    """Up to `rounds` corrections; the first that passes the most examples is shown.

    Without execution, or examples, there is nothing to repair by, and the greedy answer is shown.
    """

    name = "self_repair"
    needs_execution = True
    rounds: int = 2
    large: bool = False

    def work(self, run: Run) -> None:
        """A call for each round, until an answer passes."""
        engine = run.engines.best if self.large else run.engines.small
        answer = run.show(run.complete(Draw(), engine)[0])
        if run.executes and run.problem.examples:
            repaired(run, answer, self.rounds, self.large)


def repaired(run: Run, answer: Candidate, rounds: int, large: bool = False) -> Candidate:
    """The best of `answer` and its corrections, which is shown; each is made of the one before."""
    problem, engine = run.problem, run.engines.best if large else run.engines.small
    best, last = answer, answer
    most = _passed(run, answer)
    for _ in range(rounds):
        if most == len(problem.examples):
            break
        (observed,) = run.try_examples([last])
        messages = repair(
            problem, whole_function(problem, last.text), failures(problem.examples, observed)
        )
        (last,) = run.converse(messages, Draw(), engine, role="repair")
        if _passed(run, last) > most:
            best, most = run.show(last), _passed(run, last)
    return best


def _passed(run: Run, candidate: Candidate) -> int:
    (observed,) = run.try_examples([candidate])
    return sum(each.passed for each in observed)
