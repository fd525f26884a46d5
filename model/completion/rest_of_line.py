"""Overlap of a completion with the rest of the cursor's line.

Models often write the rest of the line again. The overlap is found by tokens, never inside a name,
and the grammar decides which of several readings is right (`trimming.py`).
"""

import re
from collections.abc import Callable

from midline.model.completion.code_lines import imbalance, unmatched_closer
from midline.model.completion.place import Extent, Place

_TELLING = 3
"""Least letters and digits of an overlap, so that punctuation alone does not count."""
_FIRST_WORDS = re.compile(r"\W*(\w{4,}|\w+\W+\w+)\b")
_WORD_AT_END = re.compile(r"\w+\Z")
_WORDS = re.compile(r"\w+")
_WORD_AT_START = re.compile(r"\w+")
_IDEOGRAPHS = re.compile(
    r"[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff"
    r"\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)


def readings(text: str, place: Place) -> list[str]:
    """`text` without what the rest of the line has already: ways to read it, the likeliest first.

    Empty if it does nothing but write the rest again.
    """
    rest = place.rest.strip()
    if not text.strip() or _is_the_rest(text, rest):
        return []
    if text.rstrip().endswith(rest):
        text = text.rstrip()
    if place.extent is Extent.BRACKETS and not text.partition("\n")[0].strip():
        return [text]  # whole lines between brackets have been cut at the closing one
    closer, ends = unmatched_closer(text, place.language), _without_end(text, rest, place)
    says_the_rest = text.endswith(rest) and len(rest) > 1
    if says_the_rest and ends and not imbalance(ends[0], place.language):
        found = [*ends, text]
    elif closer is not None and text[closer] == rest[0]:
        found = [text, before_the_rest(text, closer, place.rest), *ends]
    else:
        found = [*ends, text]
    begins = _beginning_of(rest, text)
    if begins is not None:
        kept = before_the_rest(text, begins, place.rest)
        found += [*_without_end(kept, rest, place), kept]
    return [reading for reading in dict.fromkeys(found) if reading.strip()]


def before_the_rest(text: str, at: int, rest: str) -> str:
    """`text` up to an offset, without the white space that the rest of the line begins with."""
    return text[:at].rstrip(" \t") if rest[:1].isspace() else text[:at]


def _is_the_rest(text: str, rest: str) -> bool:
    """Whether `text` says what the rest of the line says: a model that overlooked the suffix.

    One that ends with a space, or with the rest once more, has gone on from there.
    """
    said = text.strip()
    if not said.startswith(rest) or said[len(rest) :][:1].isalnum():
        return False
    goes_on = said != rest and (text.endswith(" ") or said.endswith(rest))
    return any(map(str.isalnum, rest)) and not goes_on


def begins_like_the_rest(text: str, place: Place) -> bool:
    """Whether `text` and the rest of the line have a telling beginning in common."""
    rest, text = place.rest.strip(), text.lstrip()
    size = next(
        (n for n, pair in enumerate(zip(text, rest, strict=False)) if pair[0] != pair[1]),
        min(len(text), len(rest)),
    )
    return sum(map(str.isalnum, rest[:size])) >= _TELLING


def _beginning_of(rest: str, text: str) -> int | None:
    """Offset in `text` of the first words of `rest`, where they are more than punctuation."""
    first = _FIRST_WORDS.match(rest)
    if first is None:
        return None
    pattern = (r"\b" if first.group()[0].isalnum() else "") + re.escape(first.group()) + r"\b"
    at = re.search(pattern, text)
    return at.start() if at is not None and at.start() > 0 else None


def _without_end(text: str, rest: str, place: Place) -> list[str]:
    """`text` without an end that is a beginning of `rest`, the longest such; none if none is."""
    for size in range(min(len(rest), len(text)), 0, -1):
        if not text.endswith(rest[:size]):
            continue
        if size < len(rest) and (_splits_word(text, len(text) - size) or _splits_word(rest, size)):
            continue
        telling = sum(map(str.isalnum, rest[:size])) >= _TELLING or size == len(rest)
        return [before_the_rest(text, len(text) - size, place.rest)] if telling else []
    return []


def _splits_word(text: str, at: int) -> bool:
    """Whether there is a part of one word on either side of an offset."""
    return 0 < at < len(text) and joins(text[at - 1], text[at])


def joins(left: str, right: str) -> bool:
    """Whether two characters, or none, belong to one word when they stand side by side."""
    return is_word(left or " ") and is_word(right or " ")


def is_word(character: str) -> bool:
    """Whether a character belongs to a word that goes on beside it.

    Chinese, Japanese, Korean, Thai and the like have no space between words: any two characters
    may have one between them.
    """
    joined = character.isalnum() or character == "_"
    return joined and not _IDEOGRAPHS.match(character)


def is_inside_word(place: Place) -> bool:
    """Whether the cursor has a part of a word on either side."""
    return joins(place.fragment[-1:], place.rest[:1])


def makes_known_words(text: str, place: Place, is_known: Callable[[str], bool]) -> bool:
    """Whether the word that `text` joins with the rest of the line is one of the file.

    A cursor inside a word has made two of it, so that what remains behind `text` has to be one too.
    """
    whole = place.fragment + text
    tail = _WORD_AT_START.match(place.rest)
    if tail is None or not is_word(place.rest[0]):
        return True
    begun = _WORD_AT_END.search(whole) if is_word(whole[-1:] or " ") else None
    head = _WORD_AT_END.search(place.fragment)
    if begun is None and (not is_inside_word(place) or text.strip(" ") == text[1:-1]):
        return True
    is_made_of_two = not joins(place.fragment[-1:], text[:1])
    if begun is None and head and is_made_of_two and not is_known(head.group() + tail.group()):
        return True
    word = (begun.group() if begun else "") + tail.group()
    own = _WORDS.findall(whole[head.start() if head else len(place.fragment) :])
    return is_known(word) or word in (own[:-1] if begun else own)
