"""Self-consistency for programs: the samples whose outputs the most samples share (arXiv
2203.11171). Outputs are compared on the examples' calls and on altered ones; what the examples
expect is not looked at, unless `examples` is set.
"""

from dataclasses import dataclass

from midline.model.strategies.agreement import outcomes, vote
from midline.model.strategies.base import Strategy
from midline.model.strategies.best_of_n import check_samples, first_greedy
from midline.model.strategies.run import Run


@dataclass(frozen=True)
class SelfConsistency(Strategy):
    """`samples` completions decoded together, the first one greedy.

    examples: whether only those vote that pass the most examples. large: draw from the second
    model.
    Without execution it is best-of-n, whose ranker weighs the agreement of texts.
    """

    name = "self_consistency"
    needs_execution = True
    samples: int = 8
    examples: bool = False
    large: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for a number of samples that no engine draws."""
        check_samples(self.samples)

    def work(self, run: Run) -> None:
        """One call, one execution for each different sample."""
        engine = run.engines.best if self.large else run.engines.small
        candidates = run.complete(first_greedy(self.samples), engine)
        run.show(run.best(candidates))
        if not run.executes or not run.problem.examples:
            return
        votes = vote(outcomes(run, candidates))
        if self.examples:
            passed = [sum(o.passed for o in run.observed[c.text]) for c in candidates]
            votes = [v if n == max(passed) else -1 for v, n in zip(votes, passed, strict=True)]
        most = max(votes)
        run.show(run.best([c for c, v in zip(candidates, votes, strict=True) if v == most]))
