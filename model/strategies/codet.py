"""CodeT: dual agreement of samples and tests that the model wrote itself (arXiv 2207.10397).

Samples that pass the same tests form a set; a set's score is the root of its size times the number
of tests it passes.
"""

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from midline.model.strategies.base import Strategy
from midline.model.strategies.best_of_n import check_samples, first_greedy
from midline.model.strategies.examples import Check, find_comparisons
from midline.model.strategies.prompts import tests_prefix
from midline.model.strategies.run import TEMPERATURE, Draw, Run

MOST_TESTS = 12


@dataclass(frozen=True)
class CodeT(Strategy):
    """`samples` completions, and tests from `test_samples` texts of the same model.

    examples: whether the prompt's own examples count as tests, too. Without execution it is
    best-of-n.
    """

    name = "codet"
    needs_execution = True
    samples: int = 8
    test_samples: int = 1
    examples: bool = False

    def __post_init__(self) -> None:
        """Raises UsageError for a number of samples that no engine draws."""
        check_samples(self.samples)

    def work(self, run: Run) -> None:
        """Two calls, one execution for each different sample."""
        candidates = run.complete(first_greedy(self.samples))
        run.show(run.best(candidates))
        if not run.executes or run.problem.form != "code":
            return
        checks = written_tests(run, self.test_samples)
        if self.examples:
            checks = tuple(dict.fromkeys([*run.problem.examples, *checks]))
        if not checks:
            return
        known = run.examine(candidates, checks)
        passed = [tuple(o.passed for o in known[c.text]) for c in candidates]
        score = dual_agreement(passed)
        run.show(run.best([c for c, s in zip(candidates, score, strict=True) if s == max(score)]))


def written_tests(run: Run, samples: int) -> tuple[Check, ...]:
    """Tests that the model writes behind the function's head; those of the prompt are left out."""
    problem = run.problem
    draw = Draw(samples, TEMPERATURE if samples > 1 else 0.0, greedy_first=samples > 1)
    texts = run.continued(tests_prefix(problem), draw, "tests")
    return read_tests(texts, problem.entry_point, {example.call for example in problem.examples})


def read_tests(texts: Sequence[str], entry_point: str, known: set[str]) -> tuple[Check, ...]:
    """Comparisons in what goes on behind `entry_point(`, whose calls are not `known`; each once."""
    found = (c for text in texts for c in find_comparisons(f"{entry_point}({text}", entry_point))
    return tuple(dict.fromkeys(c for c in found if c.call not in known))[:MOST_TESTS]


def dual_agreement(passed: Sequence[tuple[bool, ...]]) -> list[float]:
    """The score of each sample's set, from which tests it passes."""
    sizes: dict[tuple[bool, ...], int] = defaultdict(int)
    for each in passed:
        sizes[each] += 1
    return [math.sqrt(sizes[each]) * sum(each) for each in passed]
