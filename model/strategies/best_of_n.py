"""Several samples of one prompt; the ranker chooses, after the examples where these may run."""

from dataclasses import dataclass

from midline.model.engines.base import MAX_SAMPLES
from midline.model.errors import UsageError
from midline.model.strategies.base import Strategy
from midline.model.strategies.run import TEMPERATURE, Draw, Run


@dataclass(frozen=True)
class BestOfN(Strategy):
    """`samples` completions decoded together, the first one greedy.

    examples: whether those that pass the most examples go first, where execution is allowed. large:
    draw them from the second model, where there is one.
    """

    name = "best_of_n"
    samples: int = 8
    examples: bool = True
    large: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for a number of samples that no engine draws."""
        check_samples(self.samples)

    def work(self, run: Run) -> None:
        """One call, then executions."""
        engine = run.engines.best if self.large else run.engines.small
        candidates = run.complete(first_greedy(self.samples), engine)
        run.show(run.best(candidates))
        if self.examples:
            run.show(run.best_by_examples(candidates))


def first_greedy(samples: int) -> Draw:
    """`samples` completions, the first one greedy."""
    return Draw(samples, TEMPERATURE if samples > 1 else 0.0, greedy_first=samples > 1)


def check_samples(samples: int) -> None:
    """Raises UsageError for a number of samples that no engine draws."""
    if not 1 <= samples <= MAX_SAMPLES:
        raise UsageError(f"{samples} samples cannot be drawn; choose from 1 to {MAX_SAMPLES}")
