"""Multi-agent debate: agents answer, read each other, and answer again (arXiv 2305.14325)."""

from collections import Counter
from dataclasses import dataclass

from midline.model.errors import UsageError
from midline.model.strategies.agreement import outcomes, vote
from midline.model.strategies.base import Strategy
from midline.model.strategies.candidate import Candidate
from midline.model.strategies.code_answers import whole_function
from midline.model.strategies.prompts import debate, write
from midline.model.strategies.run import TEMPERATURE, Draw, Run


@dataclass(frozen=True)
class Debate(Strategy):
    """`agents` of the same model, `rounds` of answers in all; the majority of the last round wins.

    The majority is by outputs where execution is allowed, otherwise by equal texts; the ranker
    decides among equals. The agents of a later round are asked one after another.
    """

    name = "debate"
    agents: int = 2
    rounds: int = 2

    def __post_init__(self) -> None:
        """Raises UsageError for a debate without others."""
        if self.agents < 2 or self.rounds < 1:
            raise UsageError("a debate needs at least 2 agents and 1 round; give more")

    def work(self, run: Run) -> None:
        """One call for the first round, one for each agent and later round."""
        problem = run.problem
        answers = run.converse(write(problem), Draw(self.agents, TEMPERATURE))
        run.show(majority(run, answers))
        for number in range(1, self.rounds):
            codes = [whole_function(problem, answer.text) for answer in answers]
            later = []
            for own, code in enumerate(codes):
                others = [other for at, other in enumerate(codes) if at != own]
                draw = Draw(temperature=TEMPERATURE, seed=number * self.agents + own)
                later += run.converse(debate(problem, code, others), draw, role="debate")
            answers = later
            run.show(majority(run, answers))


def majority(run: Run, answers: list[Candidate]) -> Candidate:
    """The ranker's best of the largest group of equal answers."""
    if run.executes and run.problem.examples:
        votes = vote(outcomes(run, answers))
    else:
        counts = Counter(answer.text for answer in answers)
        votes = [counts[answer.text] for answer in answers]
    most = max(votes)
    return run.best([a for a, v in zip(answers, votes, strict=True) if v == most])
