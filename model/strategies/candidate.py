"""Candidates: texts that could be the answer, and the answer with all of them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from midline.model.completion.fim import Cursor
from midline.model.completion.ranking import Suggestion, Surroundings, scores
from midline.model.completion.syntax import SyntaxAround
from midline.model.strategies.ledger import Ledger
from midline.model.strategies.problem import Problem
from midline.model.strategies.programs import Observed

_SUFFIX = {"python": ".py", "javascript": ".js"}


@dataclass(frozen=True)
class Candidate:
    """One text. `text` goes behind the prompt where the problem is a program.

    mean_logprob: natural, over `tokens` generated ones. finish_reason: stop, length or cancelled.
    model: who wrote it. role: in which part of a strategy.
    """

    text: str
    mean_logprob: float = 0.0
    tokens: int = 0
    finish_reason: str = "stop"
    model: str = ""
    role: str = "answer"


@dataclass
class Answer:
    """What a strategy shows, and how it came to it.

    shown: None if nothing was written in time. candidates: all of them, in the order in which they
    were written. observed: what those that were executed did with the examples, by their text.
    ended: "" if the strategy came to its end, else "budget" or "cancelled". notes: sentences for
    the user about what the strategy had to do without.
    """

    strategy: str
    shown: Candidate | None
    candidates: list[Candidate]
    ledger: Ledger
    observed: dict[str, Observed] = field(default_factory=dict)
    ended: str = ""
    notes: tuple[str, ...] = ()


def ranked(problem: Problem, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Best first by the ranker of completions, which needs no execution; of equals the earlier."""
    scored = ranker_scores(problem, candidates)
    order = sorted(range(len(candidates)), key=lambda at: -scored[at])
    return [candidates[at] for at in order]


def ranker_scores(problem: Problem, candidates: Sequence[Candidate]) -> list[float]:
    """A score for each candidate, higher for better; empty ones are below all others."""
    suggestions = [
        Suggestion(c.text, c.mean_logprob, c.mean_logprob, c.tokens, c.finish_reason)
        for c in candidates
    ]
    found = scores(suggestions, _surroundings(problem)) if suggestions else []
    return [
        score if candidate.text.strip() else float("-inf")
        for score, candidate in zip(found, candidates, strict=True)
    ]


def _surroundings(problem: Problem) -> Surroundings | None:
    if problem.form != "code":
        return None
    code = problem.prompt.encode("utf-8", "replace")
    cursor = Cursor(code, b"", code.count(b"\n"), f"solution{_SUFFIX[problem.language]}")
    return Surroundings(cursor, SyntaxAround.of(cursor))
