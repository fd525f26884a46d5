"""Confidence: how much of a greedy completion is probable enough to be shown unasked.

Greedy decoding continues through tokens that the model itself finds improbable. Shown is the
beginning with a total probability of at least `KEEP`, and nothing if the first token is less
probable than `FIRST`. The token probabilities of code models are well calibrated, so both are
estimates of being right. `midline-bench quality confidence` measures the precision of offers by
their probability, and what other thresholds would show, in texts that `midline-bench quality
typing` does not use.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

FIRST = 0.45
"""Least probability of the first token shown."""
KEEP = 0.15
"""Least probability of the text shown of a single line."""
KEEP_LINES = 0.1
"""Least probability of the text shown of several lines."""


@dataclass(frozen=True, slots=True)
class Gate:
    """Thresholds of what is shown; see the constants."""

    first: float = FIRST
    keep: float = KEEP
    keep_lines: float = KEEP_LINES


GATE = Gate()


@dataclass(frozen=True, slots=True)
class TokenConfidence:
    """A token of a completion: where it ends in the text, in characters, and its natural
    log-probability given what stands before it.
    """

    end: int
    logprob: float


def confident_end(
    text: str, tokens: Sequence[TokenConfidence], begin: int = 0, gate: Gate = GATE
) -> int:
    """Offset in `text` up to which it may be shown to somebody who has typed `text[:begin]`.

    `begin` where nothing may be. `tokens` are those of `text`, or of a beginning of it: the text
    after them is not shown. The offset is a token's; `whole_ends.py` tells where it may be cut.
    """
    most = 0.0
    end, is_first = begin, True
    line_end = text.find("\n", begin + 1)
    for token, start in zip(tokens, [0, *(token.end for token in tokens)], strict=False):
        if token.end <= begin:
            continue
        most += token.logprob * _share_left(start, token.end, begin)
        if is_first and most < math.log(gate.first):
            return begin
        is_first = False
        beyond = 0 <= line_end < token.end
        if most < math.log(gate.keep_lines if beyond else gate.keep):
            return end
        end = token.end
    return min(end, len(text))


def is_hopeless(tokens: Sequence[TokenConfidence], begin: int, gate: Gate = GATE) -> bool:
    """Whether no token after these can be shown, whatever it is."""
    return probability(tokens, begin) < gate.keep_lines


def probability(tokens: Sequence[TokenConfidence], begin: int, end: float = math.inf) -> float:
    """Probability of a text from offset `begin` up to the token that contains `end` - 1, given
    what stands before it.
    """
    start, most = 0, 0.0
    for token in tokens:
        if start >= end:
            break
        if token.end > begin:
            most += token.logprob * _share_left(start, token.end, begin)
        start = token.end
    return math.exp(most)


def _share_left(start: int, end: int, begin: int) -> float:
    """Share of a token's characters that are not typed yet: what was typed is certain."""
    return (end - max(start, begin)) / max(1, end - start)
