"""Agreement of candidates in what they do: groups with the same outcomes of the same calls."""

from collections import Counter, defaultdict
from collections.abc import Sequence

from midline.model.strategies.candidate import Candidate
from midline.model.strategies.examples import Check
from midline.model.strategies.inputs import altered_calls
from midline.model.strategies.problem import Problem
from midline.model.strategies.run import Run

INPUTS = 8
"""Altered calls that candidates are compared on, beside the examples' own."""
Outcomes = tuple[str, ...]


def outcomes(run: Run, candidates: Sequence[Candidate]) -> list[Outcomes]:
    """What each candidate makes of the examples' calls and of altered ones; a text runs once."""
    calls = compared_calls(run.problem)
    count = len(run.problem.examples)
    found = run.examine(candidates, calls)
    run.observed |= {text: observed[:count] for text, observed in found.items()}
    return [tuple(each.outcome for each in found[candidate.text]) for candidate in candidates]


def compared_calls(problem: Problem) -> tuple[Check, ...]:
    """The examples, and then calls that are altered ones of the first."""
    altered = altered_calls(problem.examples[:1], problem.language, INPUTS)
    return (*problem.examples, *altered)


def vote(found: Sequence[Outcomes]) -> list[int]:
    """For each candidate, how many have its outcomes; 0 where every call failed."""
    counts = Counter(found)
    return [counts[each] if any(not o.startswith("!") for o in each) else 0 for each in found]


def groups(found: Sequence[Outcomes]) -> list[list[int]]:
    """Numbers of candidates with equal outcomes, the largest group first."""
    members: dict[Outcomes, list[int]] = defaultdict(list)
    for number, each in enumerate(found):
        members[each].append(number)
    return sorted(members.values(), key=lambda group: -len(group))
