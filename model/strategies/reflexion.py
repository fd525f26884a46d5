"""Reflexion: attempts, verbal lessons from their failures, and new attempts (arXiv 2303.11366)."""

from dataclasses import dataclass

from midline.model.strategies.base import Strategy
from midline.model.strategies.code_answers import whole_function
from midline.model.strategies.feedback import failures
from midline.model.strategies.prompts import reflect, retry
from midline.model.strategies.run import Draw, Run

MEMORY = 3
"""Lessons that are kept, the latest."""


@dataclass(frozen=True)
class Reflexion(Strategy):
    """Up to `rounds` further attempts; the last one that was made is shown, as in the paper.

    The evaluator is the examples. Without execution, or examples, the greedy answer is shown.
    """

    name = "reflexion"
    needs_execution = True
    rounds: int = 2

    def work(self, run: Run) -> None:
        """Two calls for each round, until an answer passes."""
        problem = run.problem
        answer = run.show(run.complete(Draw())[0])
        lessons: list[str] = []
        for _ in range(self.rounds if run.executes and problem.examples else 0):
            if run.passes(answer):
                break
            (observed,) = run.try_examples([answer])
            said = failures(problem.examples, observed)
            code = whole_function(problem, answer.text)
            lessons.append(run.remark(reflect(problem, code, said), "lesson"))
            messages = retry(problem, lessons[-MEMORY:])
            answer = run.show(run.converse(messages, Draw(), role="retry")[0])
