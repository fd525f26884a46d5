"""Frames: what a sentence asks for, as the user is shown it before anything is changed."""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from midline.model.errors import UsageError
from midline.model.intents.prediction import IntentModel
from midline.model.intents.schema import OUT_OF_SCOPE
from midline.model.intents.utterance import Utterance

MAX_CHARACTERS = 2000
_LEAST_CONFIDENCE = 0.35
_SEPARATOR = re.compile(r"\s*(?:;|,?\s+and\s+then\s+|,\s*then\s+|\s+then\s+|\.\s+|,?\s+and\s+)\s*")
_JOINED = re.compile(r"\s*(?:,|,?\s+and|&|,?\s+or)\s+(?:the\s+)?")
_JOINS = re.compile(r",|;|\band\b")
_QUOTED = re.compile(r"`[^`]*`|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w)")
_OUR_KIND = 0.8
"""How sure the model has to be of each half of a sentence to take it for two commands."""
_ABOUT_BEFORE = re.compile(
    r"(?:\w+ ){0,2}(?:it|that|them|those|this)\b|(?:(?:tell|show) me )?(?:how|why|what|where)\b"
)
_AT_A_PLACE = frozenset(
    {"complete", "docstring", "explain", "extract", "fix", "optimise", "rename", "tests"}
    | {"translate"}
)
"""Intents that are about the cursor where nothing is named."""
NOT_OURS = (
    "this is nothing that Midline does, or not in English: it explains, fixes, tests, renames, "
    "extracts, documents, translates, writes, completes, finds and opens code; say it in other "
    "words"
)


@dataclass(frozen=True)
class Frame:
    """An intent, and the text of each slot as the user wrote it.

    `confidence` is the probability of the intent.
    """

    intent: str
    slots: dict[str, str]
    text: str
    confidence: float

    def __getitem__(self, slot: str) -> str:
        return self.slots.get(slot, "")

    def as_json(self) -> dict[str, Any]:
        """The frame as `midline do --dry-run` prints it."""
        return {
            "intent": self.intent,
            "slots": self.slots,
            "confidence": round(self.confidence, 4),
            "text": self.text,
        }

    def sentence(self) -> str:
        """The frame in one line: `rename: symbol foo, new name bar, path utils.py`."""
        named = [f"{name.replace('_', ' ')} {text}" for name, text in self.slots.items()]
        if not named and self.intent in _AT_A_PLACE:
            named = ["here"]
        return ": ".join([self.intent.replace("_", " "), *([", ".join(named)] if named else [])])


def read_frame(text: str, model: IntentModel) -> Frame:
    """The frame of one command.

    Raises UsageError for a text that is empty or too long, for several commands at once, and for
    what is out of scope, another language than English included.
    """
    text = text.strip()
    if not text:
        raise UsageError('the sentence is empty; say what to do, as in "rename foo to bar"')
    if len(text) > MAX_CHARACTERS:
        raise UsageError(
            f"the sentence has {len(text)} characters, and a command has at most {MAX_CHARACTERS}; "
            "name the file that it is about instead of its text"
        )
    frame = _frame(text, model)
    commands = several_commands(text, model)
    if len(commands) > 1:
        raise UsageError(
            f"these are {len(commands)} commands ({', '.join(commands)}); give them one at a time"
        )
    if frame.intent == OUT_OF_SCOPE or frame.confidence < _LEAST_CONFIDENCE:
        raise UsageError(NOT_OURS)
    named = _named_together(model.predict(text).utterance)
    if named:
        raise UsageError(f"{' and '.join(named)} are named at once; give them one at a time")
    return frame


def _named_together(utterance: Utterance) -> list[str]:
    """The texts of slots of the same name that "and" joins, of which a frame can keep one."""
    if utterance.intent == "generate":
        return []
    for before, slot in pairwise(utterance.slots):
        between = utterance.text[before.end : slot.start]
        if before.name == slot.name and _JOINED.fullmatch(between):
            return [utterance.slot_text(before), utterance.slot_text(slot)]
    for name in ("new_name", "setting"):
        slots = [slot for slot in utterance.slots if slot.name == name]
        for before, slot in pairwise(slots):
            if _JOINS.search(utterance.text, before.end, slot.start):
                return [utterance.slot_text(before), utterance.slot_text(slot)]
    return []


def _frame(text: str, model: IntentModel) -> Frame:
    prediction = model.predict(text)
    slots: dict[str, str] = {}
    for name, value in prediction.utterance.values():
        slots.setdefault(name, value.strip())
    return Frame(prediction.utterance.intent, slots, text, prediction.confidence)


def several_commands(text: str, model: IntentModel) -> list[str]:
    """The intents of the commands in a sentence; more than one only if each half is surely one.

    "Find the bug and fix it" is one: what comes second is about what came first. What a slot
    reaches across joins nothing: "write a function that sorts and prints a list" is one as well.
    """
    whole = model.predict(text).utterance
    hidden = _QUOTED.sub(lambda match: "x" * len(match.group()), text)
    for separator in _SEPARATOR.finditer(hidden):
        first, second = text[: separator.start()], text[separator.end() :]
        if not first or not second or _ABOUT_BEFORE.match(second):
            continue
        start, end = separator.span()
        if any(slot.start < start and slot.end > end for slot in whole.slots):
            continue
        halves = [_frame(first, model), _frame(second, model)]
        sure = all(h.confidence >= _OUR_KIND and h.intent != OUT_OF_SCOPE for h in halves)
        sure = sure and (bool(halves[1].slots) or " " in second.strip())
        if sure and (halves[0].intent != halves[1].intent or _same_verb(first, second)):
            return [halves[0].intent, *several_commands(second, model)]
    return [_frame(text, model).intent]


def _same_verb(first: str, second: str) -> bool:
    """Whether both begin alike, as in "rename a to b; rename c to d"."""
    return first.split()[0].lower() == second.split()[0].lower()
