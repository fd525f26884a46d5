"""A cascade: cheap stages first, and the next one only where an answer is not trusted
(arXiv 2405.15842).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from midline.model.errors import UsageError
from midline.model.strategies.agreement import outcomes, vote
from midline.model.strategies.base import Strategy
from midline.model.strategies.best_of_n import check_samples, first_greedy
from midline.model.strategies.candidate import Candidate
from midline.model.strategies.run import TEMPERATURE, Draw, Run

Stage = tuple[str, int]
"""A model, small or large, and how many samples it draws. A model's first sample is greedy."""


@dataclass(frozen=True)
class Cascade(Strategy):
    """`stages` in turn, until an answer is trusted.

    An answer is trusted where it passes the examples, if these are executed, and where at least
    the share `agreement` of the samples agree with it: by outputs if they are executed, by texts if
    not. Without `agreement`, the samples of a stage end when the first of them passes the examples.
    Stages of the large model are left out where there is none.
    """

    name = "cascade"
    needs_large = True
    stages: tuple[Stage, ...] = (("small", 1), ("small", 8), ("large", 2))
    agreement: float = 0.0

    def __post_init__(self) -> None:
        """Raises UsageError for stages that there are not."""
        object.__setattr__(self, "stages", tuple((str(m), int(n)) for m, n in self.stages))
        for model, samples in self.stages:
            check_samples(samples)
            if model not in ("small", "large"):
                raise UsageError(f"there is no model {model!r} in a cascade; name small or large")
        if not self.stages:
            raise UsageError("a cascade needs a stage; give one")

    def work(self, run: Run) -> None:
        """A call for each stage, and executions behind it."""
        made: list[Candidate] = []
        begun: set[str] = set()
        for model, samples in self.stages:
            engine = run.engines.small if model == "small" else run.engines.large
            if engine is None:
                continue
            draw = first_greedy(samples)
            if model in begun:
                draw = Draw(samples, TEMPERATURE, seed=len(made))
            begun.add(model)
            drawn = run.complete(draw, engine, first_passing=self.agreement == 0)
            made += drawn
            # Shown before it is executed, in case the budget ends meanwhile.
            best = run.show(run.best(drawn if not run.executes else made))
            best = run.show(run.best_by_examples(drawn if not run.executes else made))
            if is_trusted(run, made, best, self.agreement):
                return


def is_trusted(
    run: Run, candidates: Sequence[Candidate], best: Candidate, agreement: float
) -> bool:
    """Whether `best` passes the examples and is agreed on; never by its own word alone."""
    if not run.executes or not run.problem.examples:
        same = sum(candidate.text == best.text for candidate in candidates)
        return len(candidates) > 1 and same / len(candidates) >= max(agreement, 0.5)
    if not run.passes(best):
        return False
    if agreement <= 0 or len(candidates) == 1:
        return agreement <= 0
    votes = vote(outcomes(run, candidates))
    return votes[list(candidates).index(best)] / len(candidates) >= agreement
