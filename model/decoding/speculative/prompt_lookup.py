"""Guesses of the next tokens, which one pass of several rows verifies: drafting by lookup.

Code repeats itself: a renamed copy, a row of a table, an answer that quotes its question. What
followed the longest suffix of the text where it was written before is a guess that costs nothing
(SAM decoding, arXiv 2411.10666); a pass keeps what greedy decoding would have written anyway.
"""

from collections.abc import Sequence as Ids
from dataclasses import dataclass
from typing import Protocol

from midline.model.decoding.speculative.suffix_automaton import SuffixAutomaton
from midline.model.runtime.kv_cache import Sequence

MOST_DRAFTED = 23
"""Tokens of a draft: with the last one drawn 24 rows, few enough that their company changes no bit.
More gain little, and fewer do not make up for what a pass costs before its first row."""
PASS_COST, ROW_COST = 1.6, 0.18
"""A pass of n rows takes PASS_COST + n * ROW_COST times as long as a step of one row, which has
kernels of its own and a screened output matrix: between two recordings of `midline-bench speed
drafting` with the 0.5B on AVX-512, 1.45 + 0.165 n and 1.7 + 0.21 n. The quicker the memory is
beside the cores, the more a step of one row gains by it, and the dearer a pass is."""
DRAFT_COST = 0.85
"""So has a sparse step: what half of the weights less leaves, between the 0.5B and the 1.5B."""
LEAST_GAIN = 1.25
"""Expected speed-up below which no draft is worth its risk."""
PRIOR_HITS = (0.25, 0.5, 0.7, 0.82, 0.92, 0.97)
"""Share of right guesses by length of match: between edited and unrelated code of the 0.5B."""
PRIOR_WEIGHT = 8.0
"""Tokens that the prior counts for beside those of the request."""


@dataclass(frozen=True, slots=True)
class PassCosts:
    """Times in dense steps of one row: a pass of n rows takes base + n * row, a sparse step draft.

    The defaults fit a model of which nothing was measured.
    """

    base: float = PASS_COST
    row: float = ROW_COST
    draft: float = DRAFT_COST

    def verifying(self, count: int) -> float:
        """Of the pass that verifies `count` guesses."""
        return self.base + (count + 1) * self.row


DEFAULT_COSTS = PassCosts()


class Drafter(Protocol):
    """Whoever guesses tokens; the verifying loop is the same for all."""

    def propose(self, tokens: Ids[int], most: int, sequence: Sequence) -> list[int]:
        """At most `most` guesses of what follows `tokens`, prompt and output; none is an answer.

        `sequence` has computed all but the last of `tokens`, and holds the same afterwards.
        """
        ...

    def accepted(self, count: int) -> None:
        """How many tokens of the last proposal, which was not empty, were right."""
        ...


class LookupDrafter:
    """Proposes what followed the longest suffix of the text earlier, if that is likely to pay.

    How likely a guess is right is learned for each length of match from every token of the request,
    those drawn one by one included, which cost nothing to check.
    """

    def __init__(self, costs: PassCosts = DEFAULT_COSTS) -> None:
        self._costs = costs
        self._text = SuffixAutomaton()
        self._hits = [PRIOR_WEIGHT * p for p in PRIOR_HITS]
        self._trials = [PRIOR_WEIGHT] * len(PRIOR_HITS)

    def propose(self, tokens: Ids[int], most: int, sequence: Sequence | None = None) -> list[int]:
        """See `Drafter`; the text is all that is asked."""
        self._learn(tokens)
        count = self._worth(min(most, MOST_DRAFTED))
        return self._text.continuation(count)

    def accepted(self, count: int) -> None:
        """See `Drafter`; the tokens that follow tell the same, and are looked at anyway."""

    def _learn(self, tokens: Ids[int]) -> None:
        text, known = self._text, len(self._text.tokens)
        if not known:
            text.extend(tokens)
            return
        for token in tokens[known:]:
            if text.matched:
                group = _group(text.matched)
                self._trials[group] += 1
                self._hits[group] += text.continuation(1)[0] == token
            text.extend([token])

    def _worth(self, most: int) -> int:
        """The length of a draft that promises most tokens a time; 0 where none promises enough."""
        best, best_gain = 0, LEAST_GAIN
        likely, expected = 1.0, 1.0
        for count in range(1, most + 1):
            group = _group(self._text.matched + count - 1)
            likely *= self._hits[group] / self._trials[group]
            expected += likely
            gain = expected / self._costs.verifying(count)
            if gain > best_gain:
                best, best_gain = count, gain
        return best if self._text.matched else 0


def _group(matched: int) -> int:
    """Matches of 1, 2, 3 to 4, 5 to 8, 9 to 16 and more tokens are counted apart."""
    return min((matched - 1).bit_length(), len(PRIOR_HITS) - 1)
