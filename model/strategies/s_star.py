"""S*: parallel samples, each repaired on the examples, then told apart by an input on which they
differ (arXiv 2502.14382).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from midline.model.strategies.agreement import Outcomes, compared_calls, groups, outcomes
from midline.model.strategies.base import Strategy
from midline.model.strategies.best_of_n import check_samples, first_greedy
from midline.model.strategies.candidate import Candidate
from midline.model.strategies.prompts import judge
from midline.model.strategies.run import Run
from midline.model.strategies.self_repair import repaired

_NUMBER = re.compile(r"answer\W*(\d+)", re.IGNORECASE)
_GROUPS = 3


@dataclass(frozen=True)
class SStar(Strategy):
    """`samples` completions, up to `rounds` repairs of each that fails, one judgement of an input.

    Without execution it is best-of-n.
    """

    name = "s_star"
    needs_execution = True
    samples: int = 4
    rounds: int = 1

    def __post_init__(self) -> None:
        """Raises UsageError for a number of samples that no engine draws."""
        check_samples(self.samples)

    def work(self, run: Run) -> None:
        """One call, one for each failed sample and round, and one to judge."""
        candidates = run.complete(first_greedy(self.samples))
        run.show(run.best(candidates))
        if not run.executes or not run.problem.examples:
            return
        run.show(run.best_by_examples(candidates))
        different = list({candidate.text: candidate for candidate in candidates}.values())
        best = run.shown
        repairs = [repaired(run, candidate, self.rounds) for candidate in different]
        passing = [candidate for candidate in repairs if run.passes(candidate)]
        if not passing:
            run.show(best or run.best(candidates))
            return
        run.show(run.best(passing))
        self._tell_apart(run, passing)

    def _tell_apart(self, run: Run, passing: Sequence[Candidate]) -> None:
        """Let the model choose a value of the first call on which the largest groups differ."""
        found = outcomes(run, passing)
        largest = [group[0] for group in groups(found)][:_GROUPS]
        if len(largest) < 2:
            return
        number, values = _difference([found[at] for at in largest])
        call = compared_calls(run.problem)[number].call
        said = _NUMBER.findall(run.remark(judge(run.problem, call, values), "judgement"))
        if said and 1 <= int(said[-1]) <= len(values):
            chosen = values[int(said[-1]) - 1]
            run.show(
                run.best([c for c, o in zip(passing, found, strict=True) if o[number] == chosen])
            )


def _difference(found: Sequence[Outcomes]) -> tuple[int, list[str]]:
    """The first call whose outcomes differ, and these, each once."""
    for number, column in enumerate(zip(*found, strict=True)):
        values = list(dict.fromkeys(column))
        if len(values) > 1:
            return number, values
    raise ValueError("equal outcomes cannot be told apart")
