"""Ranking of completions by a linear score of features that need no model.

The baseline is the mean log-probability. The total log-probability is better for single lines and
worse for whole bodies, which it penalizes for their length, so it is counted up to a number of
tokens. Agreement is self-consistency without execution, as in arXiv 2307.06857; the other features
tell whether a candidate fits its place. Everything is computed from the file and the candidates, in
less than a millisecond per candidate.
"""

import math
import re
import statistics
from collections.abc import Collection, Sequence
from dataclasses import astuple, dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from midline.model.completion.fim import Cursor
from midline.model.completion.identifiers import BUILT_IN, Names
from midline.model.completion.syntax import SyntaxAround, count_errors, is_misindented

_STAR_IMPORT = re.compile(rb"^[ \t]*(from .* import +\*|use .*::\*)", re.MULTILINE)
_SUFFIX_BYTES = 2048
"""Of the suffix, what may want a name from the completion."""
_MOST_UNKNOWN = 3
_WEIGHED_TOKENS = 32


@dataclass(frozen=True)
class Suggestion:
    """One completion: `text` goes in at the cursor as it is.

    `score` is higher for better; `mean_logprob` is natural, over `tokens` generated tokens;
    `finish_reason` is stop, length or cancelled.
    """

    text: str
    score: float
    mean_logprob: float
    tokens: int
    finish_reason: str


@dataclass(frozen=True)
class Features:
    """What is known of one candidate among its like. Shares are from 0 to 1.

    Without a grammar those that ask for syntax or names are 0, and tokens are words and signs.
    """

    logprob: float = 0.0
    """of its tokens together, natural; of more than 32, the mean of all times 32"""
    agreement: float = 0.0
    """share of the others that are the same but for comments, space and the names they bind"""
    broken: float = 0.0
    """1 if more places of the file do not parse with it than without it"""
    unknown_names: float = 0.0
    """names it uses that neither it nor the file nor the language has, at most 3"""
    wanted_names: float = 0.0
    """share of the names that the suffix uses and the prefix does not have that it binds"""
    shortness: float = 0.0
    """logarithm of the median of all candidates' tokens over its own, 0 where it is longer"""
    unfinished: float = 0.0
    """1 if it was cut off by the limit of tokens, or cancelled"""


WEIGHTS = Features(
    logprob=0.16,
    agreement=0.5,
    broken=-4.8,
    unknown_names=-4.3,
    wanted_names=1.0,
    shortness=-1.2,
    unfinished=-3.0,
)
"""Fitted by `midline-bench quality ranking` to 8 samples at temperature 0.6 of each of the first
250 Python problems, by the 0.5B, and moved towards what 358 lines left out of Python, JavaScript
and C++ files want, which costs the problems nothing: by these alone the log-probability weighs
0.11, agreement, which misleads in single lines, 1.9, and unfinished -4.1. No problem has a suffix
that could want names: that weight is set by judgement.
"""


class Surroundings:
    """Where candidates would stand, as far as ranking looks at it; a file's is made once."""

    def __init__(self, cursor: Cursor, syntax: SyntaxAround | None = None) -> None:
        self.syntax = syntax
        self._before, self._after, self._context = cursor.before, cursor.after, cursor.context
        self._is_whole = cursor.line == cursor.before.count(b"\n")
        self._known: dict[str, bool] = {}

    @cached_property
    def _texts(self) -> list[bytes]:
        others = (chunk.text.encode("utf-8", "surrogatepass") for chunk in self._context)
        return [self._before, self._after, *others]

    def knows(self, name: str) -> bool:
        """Whether `name` occurs in the file or in the parts of others that were read with it."""
        known = self._known.get(name)
        if known is None:
            word = re.compile(rb"(?<!\w)" + re.escape(name.encode()) + rb"(?!\w)")
            known = self._known[name] = any(word.search(text) for text in self._texts)
        return known

    def unknown(self, names: Collection[str]) -> int:
        """How many of `names` come from nowhere; 0 where a file does not show what it has."""
        if self._built_in is None:
            return 0
        return sum(name not in self._built_in and not self.knows(name) for name in names)

    @cached_property
    def _built_in(self) -> frozenset[str] | None:
        """Names without a declaration; None where there may be others out of sight."""
        is_open = not self._is_whole or any(map(_STAR_IMPORT.search, self._texts))
        return None if is_open or self.syntax is None else BUILT_IN.get(self.syntax.language)

    @cached_property
    def wanted(self) -> frozenset[str]:
        """Names that the suffix takes for granted and nothing before it has."""
        if self.syntax is None or self._built_in is None:
            return frozenset()
        start = self.syntax.offset
        names = Names.within(self.syntax.tree_with(b""), start, start + _SUFFIX_BYTES)
        before = set(re.findall(r"\w+", self._before.decode("utf-8", "replace")))
        return names.used - before - self._built_in


def ranked(
    suggestions: Sequence[Suggestion], around: Surroundings | None = None
) -> tuple[Suggestion, ...]:
    """Best first, each text once; an empty one only where all are empty.

    The scores are those of `scores`, comparable within one answer. A single suggestion has none to
    be compared with, and keeps its own.
    """
    if len(suggestions) > 1:
        found = scores(suggestions, around)
        suggestions = [replace(s, score=x) for s, x in zip(suggestions, found, strict=True)]
    best: dict[str, Suggestion] = {}
    for suggestion in sorted(suggestions, key=lambda s: s.score, reverse=True):
        best.setdefault(suggestion.text, suggestion)
    written = tuple(suggestion for text, suggestion in best.items() if text)
    return written or tuple(best.values())


def scores(
    candidates: Sequence[Suggestion],
    around: Surroundings | None = None,
    weights: Features = WEIGHTS,
) -> list[float]:
    """A score for each candidate, higher for better: its features times `weights`."""
    matrix = feature_matrix(candidates, around)
    return [float(score) for score in matrix @ np.array(astuple(weights))]


def feature_matrix(
    candidates: Sequence[Suggestion], around: Surroundings | None = None
) -> NDArray[np.float64]:
    """Features of each candidate, float64 [candidates, features], in the order of `Features`."""
    around = around or Surroundings(Cursor(b"", b"", 0))
    read = {text: _Reading(text, around) for text in {c.text for c in candidates}}
    readings = [read[candidate.text] for candidate in candidates]
    return np.array(
        [
            astuple(_features(candidate, number, readings, around))
            for number, candidate in enumerate(candidates)
        ]
    )


class _Reading:
    """A text as it is read where it would stand."""

    def __init__(self, text: str, around: Surroundings) -> None:
        self.is_broken = False
        syntax = around.syntax
        if syntax is None:
            self.names = Names.of_text(text)
        else:
            written = text.encode("utf-8", "surrogatepass")
            start, end = syntax.offset, syntax.offset + len(written)
            tree = syntax.tree_with(written)
            self.names = Names.within(tree, start, end)
            self.is_broken = count_errors(tree) > syntax.errors or (
                syntax.language == "python" and is_misindented(tree, start, end)
            )
        self.shape = self.names.shape


def _features(
    candidate: Suggestion, number: int, readings: Sequence[_Reading], around: Surroundings
) -> Features:
    own = readings[number]
    others = [other for at, other in enumerate(readings) if at != number]
    count = max(1, len(others))
    wanted = around.wanted
    median = statistics.median(math.log1p(len(each.names.tokens)) for each in readings)
    return Features(
        logprob=candidate.mean_logprob * min(candidate.tokens, _WEIGHED_TOKENS),
        agreement=sum(other.shape == own.shape for other in others) / count,
        broken=float(own.is_broken),
        unknown_names=min(around.unknown(own.names.used), _MOST_UNKNOWN),
        wanted_names=len(wanted.intersection(own.names.bound)) / max(1, len(wanted)),
        shortness=max(0.0, median - math.log1p(len(own.names.tokens))),
        unfinished=float(candidate.finish_reason != "stop"),
    )
