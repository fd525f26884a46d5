"""An alarm for text that begins to repeat itself while it is generated.

Sparse and quantized models fall into loops from which they rarely recover. The repetition signals
of RedPajama-V2 tell that from the text so far: the share of characters in n-grams that occur twice,
and the share of distinct words. Here they are over the tokens of code (words and runs of marks),
and over a window at the end, so that a loop is seen after few turns whatever came before it.
"""

from dataclasses import dataclass

import numpy as np

from midline.model.data_quality.views import RepeatedNgrams, Views, Words

EVERY = 16
"""Words between two looks at the text."""


@dataclass(frozen=True)
class GuardRule:
    """What raises the alarm, over the last `window` words and once there are so many.

    Either the share of characters in repeated n-grams reaches `repeated`, or the share of distinct
    words falls to `distinct`; None leaves a condition out.
    """

    window: int
    n: int = 10
    repeated: float | None = None
    distinct: float | None = None

    @property
    def name(self) -> str:
        """How the rule is reported."""
        parts = []
        if self.repeated is not None:
            parts.append(f"{self.repeated:.0%} of characters in repeated {self.n}-grams")
        if self.distinct is not None:
            parts.append(f"{self.distinct:.0%} of words distinct")
        return f"{' or '.join(parts)} in {self.window} words"


def alarm_at(text: str, rule: GuardRule) -> int | None:
    """Characters of the first beginning of `text` that raises the alarm; None if none does."""
    views = Views(text)
    words, starts = views.raw, views.raw_starts
    ends = np.append(starts[1:], len(text))
    for end in range(rule.window, len(words) + 1, EVERY):
        ids = words.ids[end - rule.window : end]
        if raises_alarm(Words(words.distinct, ids), rule):
            return int(ends[end - 1])
    return None


def raises_alarm(words: Words, rule: GuardRule) -> bool:
    """Whether a window of words is over the bounds of `rule`."""
    if rule.distinct is not None and len(np.unique(words.ids)) <= rule.distinct * len(words):
        return True
    return rule.repeated is not None and repeated_share(words, rule.n) >= rule.repeated


def repeated_share(words: Words, n: int) -> float:
    """The share of the characters in n-grams that occur twice and more, each counted once."""
    at = np.flatnonzero(RepeatedNgrams(words).groups(n) >= 0)
    if not len(at):
        return 0.0
    covered = np.zeros(len(words), np.bool_)
    for offset in range(n):
        covered[at + offset] = True
    lengths = words.lengths[words.ids]
    return float(lengths[covered].sum() / lengths.sum())
