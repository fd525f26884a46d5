"""Words of an utterance and their BIO tags.

Words are cut so that a slot begins and ends with one: quotes, brackets around a word and the
punctuation behind it are words of their own, and so are the colon of `app.py:12`, a possessive `'s`
and the signs of `temperature=0.2` and `foo->bar`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from midline.model.intents.schema import OUTSIDE
from midline.model.intents.utterance import Slot

MAX_WORDS = 64
"""Words behind these are not looked at: nobody writes a command of that length."""
_CHUNK = re.compile(r"\S+")
_SEPARATED = re.compile(r"->|=>|[=→“”„«»]|(?<=[\w/]):(?=\d+(?:\D\d+)?$)|['’]s$")
_OPENING = "\"'`‘([{<"
_CLOSING = "\"'`’)]}>.,;:!?"
QUOTES = frozenset("\"'`“”„«»‘’")
_PAIRS = {")": "(", "]": "[", "}": "{", ">": "<"}


@dataclass(frozen=True, slots=True)
class Word:
    """A word and where it begins in the utterance."""

    text: str
    start: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + len(self.text)


def words_of(text: str) -> list[Word]:
    """The first `MAX_WORDS` words of `text`."""
    words: list[Word] = []
    for chunk in _CHUNK.finditer(text):
        if len(words) >= MAX_WORDS:
            break
        _cut(chunk.group(), chunk.start(), words)
    return words[:MAX_WORDS]


def _cut(chunk: str, start: int, words: list[Word]) -> None:
    """Append the words of what stands between two spaces."""
    low, high = 0, len(chunk)
    while low < high and _is_opening(chunk[low:high]):
        words.append(Word(chunk[low], start + low))
        low += 1
    behind: list[Word] = []
    while low < high and _is_closing(chunk[low:high]):
        high -= 1
        behind.append(Word(chunk[high], start + high))
    at = low
    for match in _SEPARATED.finditer(chunk, low, high):
        if match.start() > at:
            words.append(Word(chunk[at : match.start()], start + at))
        words.append(Word(match.group(), start + match.start()))
        at = match.end()
    if at < high:
        words.append(Word(chunk[at:high], start + at))
    words += reversed(behind)


def _is_opening(rest: str) -> bool:
    return rest[0] in _OPENING and len(rest) > 1 and not rest.startswith(("=>", "<=", ">="))


def _is_closing(rest: str) -> bool:
    last = rest[-1]
    if last not in _CLOSING or len(rest) == 1 or rest.endswith(("->", "=>")):
        return False
    return last not in _PAIRS or _PAIRS[last] not in rest


def whole_quotes(words: Sequence[Word], slots: Sequence[Slot]) -> tuple[Slot, ...]:
    """The slots, each that lies in a pair of quotes as long as what is quoted.

    Nobody quotes more than one value at a time. Of several slots within one pair the first stays.
    """
    pairs = quoted_spans(words)
    found: list[Slot] = []
    for slot in slots:
        span = next((s for s in pairs if s[0] <= slot.start and slot.end <= s[1]), None)
        whole = Slot(slot.name, *span) if span else slot
        if not found or whole.start >= found[-1].end:
            found.append(whole)
    return tuple(found)


def quoted_spans(words: Sequence[Word]) -> list[tuple[int, int]]:
    """Where the texts within pairs of quotes begin and end, the quotes not included."""
    quotes = [word for word in words if word.text in QUOTES]
    pairs = zip(quotes[::2], quotes[1::2], strict=False)
    return [(first.end, last.start) for first, last in pairs if last.start > first.end]


def tags_of_slots(words: Sequence[Word], slots: Sequence[Slot]) -> list[str]:
    """The BIO tag of every word; a word belongs to the slot that its first character is in."""
    tags = []
    last: Slot | None = None
    for word in words:
        slot = next((s for s in slots if s.start <= word.start < s.end), None)
        if slot is None:
            tags.append(OUTSIDE)
        else:
            tags.append(f"{'I' if slot is last else 'B'}-{slot.name}")
        last = slot
    return tags


def slots_of_tags(words: Sequence[Word], tags: Sequence[str]) -> tuple[Slot, ...]:
    """The slots that BIO tags name; an inside without a begin of its kind begins one."""
    slots: list[Slot] = []
    last = OUTSIDE
    for word, tag in zip(words, tags, strict=True):
        if tag != OUTSIDE:
            place, name = tag.split("-", 1)
            if place == "I" and last == name and slots:
                slots[-1] = Slot(name, slots[-1].start, word.end)
            else:
                slots.append(Slot(name, word.start, word.end))
            last = name
        else:
            last = OUTSIDE
    return tuple(slots)
