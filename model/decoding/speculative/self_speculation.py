"""Self-speculation: the model drafts for itself with TEAL sparsity, and a dense pass verifies.

Skipping the weights below the thresholds of a profile changes few tokens (self-speculative
decoding, arXiv 2309.08168, with the activation sparsity of arXiv 2408.14690), so a dense pass
accepts most of a draft. The pass recomputes the positions of the draft and overwrites the keys and
values of the sparse steps: neither the KV cache nor the output depends on them.
"""

import math
from bisect import bisect_right
from collections.abc import Sequence as Ids

from midline import kernels
from midline.model.cancellation import Cancellation
from midline.model.decoding.speculative.prompt_lookup import (
    DEFAULT_COSTS,
    MOST_DRAFTED,
    Drafter,
    LookupDrafter,
    PassCosts,
)
from midline.model.runtime.decoder import Decoder, StepOptions
from midline.model.runtime.kv_cache import CacheFull, Sequence

LEAST_GAIN = 1.05
"""Least expected speed-up for which a draft is made."""
CONFIDENCES = (0.3, 0.5, 0.7, 0.9, 0.99)
"""Borders of the confidence groups: the probability of a draft token in the sparse model."""
PRIOR_HITS = (0.5, 0.65, 0.75, 0.95, 0.985, 0.995)
"""Prior acceptance rate per confidence group: code, 50% sparsity, the same for 0.5B and 1.5B."""
PRIOR_MEAN = 0.94
"""Prior acceptance rate of all draft tokens."""
PRIOR_WEIGHT = 8.0
"""Weight of the priors in draft tokens, against those of the request."""
DECAY = 0.97
"""Decay of the request's acceptance statistics per token decoded without a draft."""


class SelfDrafter:
    """Proposes what `model` decodes greedily with `thresholds`, while a speed-up is expected.

    A draft continues while the next token promises more accepted tokens per cost than the best
    draft of fixed length; acceptance rates are estimated per confidence group. With `least_gain` 0
    a draft is always made. Raises Cancelled during a draft, with `sequence` unchanged.
    """

    def __init__(
        self,
        model: Decoder,
        thresholds: kernels.Thresholds,
        costs: PassCosts = DEFAULT_COSTS,
        *,
        end_tokens: frozenset[int] = frozenset(),
        least_gain: float = LEAST_GAIN,
        cancel: Cancellation | None = None,
    ) -> None:
        self._model, self._costs, self._cancel = model, costs, cancel
        self._options = StepOptions(thresholds=thresholds)
        self._end_tokens, self._least_gain = end_tokens, least_gain
        self._hits = [PRIOR_WEIGHT * p for p in PRIOR_HITS]
        self._trials = [PRIOR_WEIGHT] * len(PRIOR_HITS)
        self._right, self._tried = 0.0, 0.0
        self._groups: list[int] = []  # of the tokens of the last proposal

    def propose(self, tokens: Ids[int], most: int, sequence: Sequence) -> list[int]:
        """See `Drafter`."""
        rate = self._rate(min(most, MOST_DRAFTED))
        if rate < self._least_gain:
            self._right *= DECAY
            self._tried *= DECAY
            return []
        computed, dense = len(sequence.tokens), sequence.sparse_from
        sequence.sparse_from = computed
        draft: list[int] = []
        self._groups = []
        try:
            self._draft(sequence, draft, tokens[-1], min(most, MOST_DRAFTED), rate)
        except CacheFull:
            pass  # the verifying pass would find no room either
        finally:
            self._model.cache.truncate(sequence, computed)
            sequence.sparse_from = dense
        return draft

    def _draft(
        self, sequence: Sequence, draft: list[int], token: int, most: int, rate: float
    ) -> None:
        """Append draft tokens to `draft` while one more is worth its sparse step."""
        likely, step = 1.0, self._costs.draft + self._costs.row
        while len(draft) < most and (not draft or likely * self._mean() >= rate * step):
            (row,) = self._model.forward(
                [(sequence, [token])], options=self._options, cancel=self._cancel
            )
            log_sum = kernels.log_sum_exp(row)
            if not math.isfinite(log_sum):
                return
            token, logprob = kernels.choose(row, log_sum)
            group = bisect_right(CONFIDENCES, math.exp(logprob))
            likely *= self._hits[group] / self._trials[group]
            if token in self._end_tokens or likely < rate * self._costs.row:
                return  # nothing follows an end token; an improbable token is not worth its row
            draft.append(token)
            self._groups.append(group)

    def accepted(self, count: int) -> None:
        """See `Drafter`; tokens after the first rejected one are not counted."""
        for i, group in enumerate(self._groups[: count + 1]):
            self._trials[group] += 1
            self._hits[group] += i < count
            self._tried += 1
            self._right += i < count

    def _mean(self) -> float:
        return (self._right + PRIOR_WEIGHT * PRIOR_MEAN) / (self._tried + PRIOR_WEIGHT)

    def _rate(self, most: int) -> float:
        """Expected tokens per time of a plain step, with the best fixed draft length."""
        right, best = self._mean(), 0.0
        likely, expected = 1.0, 1.0
        for count in range(1, most + 1):
            likely *= right
            expected += likely
            cost = count * self._costs.draft + self._costs.verifying(count)
            best = max(best, expected / cost)
        return best


class LookupFirst:
    """Prompt lookup where it expects a speed-up, self-speculation elsewhere."""

    def __init__(self, lookup: LookupDrafter, own: SelfDrafter) -> None:
        self._lookup, self._own = lookup, own
        self._last: Drafter = lookup

    def propose(self, tokens: Ids[int], most: int, sequence: Sequence) -> list[int]:
        """See `Drafter`."""
        self._last = self._lookup
        draft = self._lookup.propose(tokens, most)
        if not draft:
            self._last = self._own
            draft = self._own.propose(tokens, most, sequence)
        return draft

    def accepted(self, count: int) -> None:
        """See `Drafter`."""
        self._last.accepted(count)
