"""The choice between two completions of a place: what is shown, and what the pause model wrote.

A text on the screen is not replaced lightly. One that goes on from it is shown, since nothing
that was read changes. One that differs is shown if its first differing token is more probable by
`MARGIN` than the token that it replaces. `midline-bench quality confidence --pause-model` measures
what other margins would show, in texts that `midline-bench quality typing` does not use.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from midline.model.completion.confidence import Gate, TokenConfidence, probability

PAUSE_GATE = Gate()
"""Thresholds of what a pause model shows."""
MARGIN = 0.2
"""Least difference of the probabilities for which a text on the screen is replaced by another."""


@dataclass(frozen=True)
class Shown:
    """A text that may be shown to somebody who has typed `begin` characters of what `tokens`
    wrote; without tokens, it is shown however probable it is.
    """

    text: str
    begin: int
    tokens: Sequence[TokenConfidence]

    def probability(self, end: int) -> float:
        """Of the text up to the token that has its character `end` - 1."""
        return probability(self.tokens, self.begin, self.begin + end)


def takes_its_place(new: Shown, old: Shown | None, margin: float = MARGIN) -> bool:
    """Whether `new` is shown in place of `old`, which is on the screen, if anything is."""
    if old is None:
        return new.text.strip() != ""
    common = _common(new.text, old.text)
    if common == len(old.text):
        return new.text[common:].strip() != ""
    if common == len(new.text):
        return False
    return new.probability(common + 1) >= old.probability(common + 1) + margin


def is_sure(shown: Shown, margin: float = MARGIN) -> bool:
    """Whether no other text could take the place of this one, whatever it is."""
    return shown.probability(len(shown.text)) > 1 - margin


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    pairs = zip(one, other, strict=False)
    return next((at for at, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))
