"""Which generated lines are kept: filters in order, each with what it dropped.

An utterance of the augmented language has the text of its slots within its own, so that a line
that parses has them verbatim.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from midline.model.data_quality.shingles import Hashes, jaccard, token_shingles
from midline.model.intents import student
from midline.model.intents.utterance import AugmentedError, Slot, Utterance, parse_augmented

LEAST_WORDS, MOST_WORDS = 2, 40
SIMILAR = 0.7
_SHINGLE = 2
_EPOCHS = (20, 1)
"""Of the student that judges; it is asked for intents alone."""


@dataclass
class Kept:
    """The utterances that passed, the verdict on every line in order, and how often each was."""

    utterances: list[Utterance] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)

    @property
    def counts(self) -> dict[str, int]:
        """Lines of each verdict; "kept" is one of them."""
        return dict(Counter(self.verdicts))


def keep(lines: Iterable[str], seeds: Sequence[Utterance]) -> Kept:
    """The lines that parse, use labels of `seeds`, are new, and agree with a student of `seeds`."""
    allowed: dict[str, set[str]] = {}
    for utterance in seeds:
        allowed.setdefault(utterance.intent, set()).update(s.name for s in utterance.slots)
    known: dict[str, list[Hashes]] = {}
    for utterance in seeds:
        known.setdefault(utterance.intent, []).append(_shingles(utterance))
    judge = _judge(seeds)
    kept = Kept()
    for line in lines:
        found, verdict = _parsed(line, allowed)
        if found is not None:
            verdict = _verdict(found, known, judge)
            if verdict == "kept":
                kept.utterances.append(found)
        kept.verdicts.append(verdict)
    return kept


def _judge(seeds: Sequence[Utterance]) -> student.Student:
    intents = tuple(sorted({u.intent for u in seeds}))
    slots = tuple(sorted({s.name for u in seeds for s in u.slots}))
    return student.learn(seeds, intents, slots, epochs=_EPOCHS)


def _parsed(line: str, allowed: dict[str, set[str]]) -> tuple[Utterance | None, str]:
    try:
        found = trimmed(parse_augmented(line))
    except AugmentedError:
        return None, "does not parse"
    if found.intent not in allowed or {s.name for s in found.slots} - allowed[found.intent]:
        return None, "unknown label"
    if not LEAST_WORDS <= len(found.text.split()) <= MOST_WORDS:
        return None, "length"
    return found, "kept"


def _verdict(utterance: Utterance, known: dict[str, list[Hashes]], judge: student.Student) -> str:
    shingles = _shingles(utterance)
    if any(jaccard(shingles, other) >= SIMILAR for other in known[utterance.intent]):
        return "near duplicate"
    known[utterance.intent].append(shingles)
    agrees = judge.predict(utterance.text).utterance.intent == utterance.intent
    return "kept" if agrees else "round trip"


def _shingles(utterance: Utterance) -> Hashes:
    return token_shingles(utterance.text.lower(), _SHINGLE)


def trimmed(utterance: Utterance) -> Utterance:
    """The utterance whose slots neither begin nor end with blanks, and its text neither."""
    text = utterance.text.strip()
    moved = len(utterance.text) - len(utterance.text.lstrip())
    slots = []
    for slot in utterance.slots:
        inner = utterance.slot_text(slot)
        start = slot.start + len(inner) - len(inner.lstrip()) - moved
        slots.append(Slot(slot.name, start, start + len(inner.strip())))
    return Utterance(text, utterance.intent, tuple(slots))
