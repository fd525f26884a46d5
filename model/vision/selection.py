"""Which panes are worth a close look: the score of a glance, and how many are taken."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

MOST_PANES = 3
_ENOUGH = 0.5
"""A pane is taken as well if its score is at least this part of the best one's."""
_FAILURE = re.compile(
    r"^Traceback|^[\w.]*(?:Error|Exception)(?:: |$)|^error(?:\[\w+\])?: |--> ?\S+:\d|"
    r":\d+: ?(?:fatal )?error|\): ?error|^\s*at .+:\d|File \".+line ?\d|^panic: |panicked at|"
    r"^E  |^Exception in|^Caused by",
    re.MULTILINE,
)
"""Lines as they stand in a traceback or a compiler's output, and hardly in code."""
_ERROR = re.compile(r"error|exception|fatal|failed|undefined|undeclared", re.IGNORECASE)
_WORD = re.compile(r"\w{3,}")


@dataclass(frozen=True)
class Glance:
    """What is seen of a pane before it is read: its size in pixels, its lines and their type's
    height, the share of red ink, and a few lines with their confidence."""

    area: int
    lines: int
    x_height: float
    redness: float
    confidence: float
    words: str


def score(glance: Glance, asked: str = "") -> float:
    """How much a pane looks like what is looked for: an error, or what was asked about."""
    if glance.confidence < 0.5:
        return 0.0
    size = min(math.log1p(glance.lines) / math.log(40), 1.0)
    failures = min(len(_FAILURE.findall(glance.words)), 2) / 2
    errors = min(len(_ERROR.findall(glance.words)), 2) / 2
    wanted = set(_WORD.findall(asked.lower()))
    shared = min(len(wanted & set(_WORD.findall(glance.words.lower()))), 2) / 2
    redness = min(glance.redness * 3, 1.0)
    return glance.confidence * (
        0.2 * size + 0.4 * failures + 0.05 * errors + 0.1 * redness + 0.25 * shared
    )


def ranked(glances: Sequence[Glance], asked: str = "") -> list[tuple[int, float]]:
    """Numbers of the panes and their scores, best first."""
    scores = [(number, score(glance, asked)) for number, glance in enumerate(glances)]
    return sorted((s for s in scores if s[1] > 0), key=lambda s: -s[1])


def selected(ranking: Sequence[tuple[int, float]], most: int = MOST_PANES) -> list[int]:
    """The best pane, and those about as good."""
    if not ranking:
        return []
    least = _ENOUGH * ranking[0][1]
    return [number for number, value in ranking[:most] if value >= least]
