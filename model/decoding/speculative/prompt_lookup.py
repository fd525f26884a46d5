"""Prompt lookup decoding: drafts are copied from earlier in the text and verified in one pass.

Code repeats itself: a renamed copy, a row of a table, an answer that quotes its question. The draft
is what followed the longest suffix of the text at its last occurrence (SAM decoding, arXiv
2411.10666). Other answers to the same question are such a text, too, where the request names them.
The verifying pass keeps the tokens that would have been drawn one by one.
"""

from collections.abc import Sequence as Ids
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

from midline.model.decoding.speculative.suffix_automaton import SuffixAutomaton
from midline.model.runtime.kv_cache import Sequence

MOST_DRAFTED = 23
"""Most tokens of a draft. With the last drawn token that is 24 rows, within row invariance. Longer
drafts gain little, and shorter ones do not pay for the fixed cost of a pass."""
PASS_COST, ROW_COST = 1.6, 0.18
"""Default cost of a pass of n rows, PASS_COST + n * ROW_COST, in units of a single-row step, which
has kernels of its own and a screened output matrix. Two recordings of `midline-bench speed
drafting` with the 0.5B on AVX-512 gave 1.45 + 0.165 n and 1.7 + 0.21 n. More memory bandwidth per
core makes a single-row step cheaper and so the relative cost of a pass higher."""
DRAFT_COST = 0.85
"""Default cost of a step that skips half of the weights, between those of the 0.5B and the 1.5B."""
LEAST_GAIN = 1.25
"""Least expected speed-up for which a draft is verified."""
PRIOR_HITS = (0.25, 0.5, 0.7, 0.82, 0.92, 0.97)
"""Prior acceptance rate by length of match, between edits and unrelated code with the 0.5B."""
PRIOR_WEIGHT = 8.0
"""Weight of the prior in tokens, against the tokens of the request."""


@dataclass(frozen=True, slots=True)
class PassCosts:
    """Costs in units of a dense single-row step.

    A pass of n rows costs base + n * row, a sparse step costs draft. The defaults are for models
    that were not measured.
    """

    base: float = PASS_COST
    row: float = ROW_COST
    draft: float = DRAFT_COST

    def verifying(self, count: int) -> float:
        """The cost of the pass that verifies `count` drafted tokens."""
        return self.base + (count + 1) * self.row


DEFAULT_COSTS = PassCosts()


class Drafter(Protocol):
    """Proposes draft tokens; the verification is the same for all drafters."""

    def propose(self, tokens: Ids[int], most: int, sequence: Sequence) -> list[int]:
        """At most `most` draft tokens to follow `tokens` (prompt and output); may be empty.

        `sequence` holds all but the last of `tokens`, and is unchanged afterwards.
        """
        ...

    def accepted(self, count: int) -> None:
        """Report how many tokens of the last proposal, which was not empty, were accepted."""
        ...


class LookupDrafter:
    """Proposes what followed the longest suffix of the text earlier, if a speed-up is expected.

    Acceptance rates are estimated per length of match from every token of the request, including
    tokens decoded without a draft, which are compared with the lookup, too. `known` are texts that
    stand before that of the request, the likeliest last.
    """

    def __init__(self, costs: PassCosts = DEFAULT_COSTS, known: Ids[Ids[int]] = ()) -> None:
        self._costs = costs
        self._text = SuffixAutomaton()
        for number, text in enumerate(known):
            self._text.extend([*text, -1 - number])  # what is no token ends each of them
        self._before = len(self._text.tokens)
        self._hits = [PRIOR_WEIGHT * p for p in PRIOR_HITS]
        self._trials = [PRIOR_WEIGHT] * len(PRIOR_HITS)

    def propose(self, tokens: Ids[int], most: int, sequence: Sequence | None = None) -> list[int]:
        """See `Drafter`; only the text is used."""
        self._learn(tokens)
        count = self._worth(min(most, MOST_DRAFTED))
        draft = self._text.continuation(count)
        return list(takewhile(lambda token: token >= 0, draft))

    def accepted(self, count: int) -> None:
        """See `Drafter`; nothing to do, since acceptance is counted from the tokens that follow."""

    def _learn(self, tokens: Ids[int]) -> None:
        text, known = self._text, len(self._text.tokens) - self._before
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
        """The draft length with the most expected tokens per time; 0 if none reaches LEAST_GAIN."""
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
    """The group of a match length: 1, 2, 3 to 4, 5 to 8, 9 to 16, and more tokens."""
    return min((matched - 1).bit_length(), len(PRIOR_HITS) - 1)
