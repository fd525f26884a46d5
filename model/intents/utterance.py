"""Utterances with their labels, and the augmented language that writes both as one string.

    ((rename)) rename [foo|symbol] to [bar|new_name]

A backslash in front of a bracket, a bar or a backslash takes its meaning away.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_INTENT = re.compile(r"\s*\(\((\w+)\)\)\s*")
_ESCAPED = re.compile(r"([\[\]|\\])")
_PIECE = re.compile(r"\\(.)|(\[)|(\])|(\|)|([^\[\]|\\]+)", re.DOTALL)


class AugmentedError(ValueError):
    """A string is not one of the augmented language; the message says where it ends to be one."""


@dataclass(frozen=True, slots=True)
class Slot:
    """The characters from `start` up to `end` of an utterance, and what they name."""

    name: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Utterance:
    """A sentence with its intent and its slots, in order and without overlaps."""

    text: str
    intent: str
    slots: tuple[Slot, ...] = ()

    def slot_text(self, slot: Slot) -> str:
        """The characters of one of its slots."""
        return self.text[slot.start : slot.end]

    def values(self) -> tuple[tuple[str, str], ...]:
        """Name and text of every slot, in order."""
        return tuple((slot.name, self.slot_text(slot)) for slot in self.slots)


def parse_augmented(line: str) -> Utterance:
    """The utterance that `line` writes; AugmentedError where it is not well formed."""
    head = _INTENT.match(line)
    if head is None:
        raise AugmentedError("the line does not begin with ((intent))")
    text, slots = _parse_slots(line[head.end() :].rstrip())
    if not text.strip():
        raise AugmentedError("there is no text behind the intent")
    return Utterance(text, head[1], tuple(slots))


def _parse_slots(body: str) -> tuple[str, list[Slot]]:
    text, slots = "", []
    opened: int | None = None
    named: str | None = None
    at = 0
    for piece in _PIECE.finditer(body):
        if piece.start() != at:
            break
        at = piece.end()
        escaped, opens, closes, bar, plain = piece.groups()
        written = escaped or plain or (bar if opened is None else "")
        if opens:
            if opened is not None:
                raise AugmentedError("a slot begins inside of another")
            opened = len(text)
        elif closes:
            slots.append(_closed(text, opened, named))
            opened = named = None
        elif bar and opened is not None:
            if named is not None:
                raise AugmentedError("a slot has two names")
            named = ""
        elif named is not None:
            named += written
        else:
            text += written
    if at != len(body) or opened is not None:
        raise AugmentedError("a slot or an escape does not end")
    return text, slots


def _closed(text: str, opened: int | None, named: str | None) -> Slot:
    name = (named or "").strip()
    if opened is None:
        raise AugmentedError("a slot ends that did not begin")
    if not name.isidentifier():
        raise AugmentedError(f"a slot has the name {name!r:.40}")
    if not text[opened:].strip():
        raise AugmentedError(f"a slot {name} is empty")
    return Slot(name, opened, len(text))


def write_augmented(utterance: Utterance) -> str:
    """The string that `parse_augmented` reads as this utterance."""
    pieces, at = [f"(({utterance.intent})) "], 0
    for slot in utterance.slots:
        pieces += [
            _escape(utterance.text[at : slot.start]),
            f"[{_escape(utterance.slot_text(slot))}|{slot.name}]",
        ]
        at = slot.end
    return "".join([*pieces, _escape(utterance.text[at:])])


def _escape(text: str) -> str:
    return _ESCAPED.sub(r"\\\1", text)


def read_augmented(lines: Iterable[str]) -> list[Utterance]:
    """The utterances of a file: one a line, empty lines and those that begin with # left out."""
    return [parse_augmented(line) for line in lines if line.strip() and not line.startswith("#")]
