"""Trimming: the longest beginning of a generated text that fits between prefix and suffix.

Candidates are the text up to its end (`stopping.py`), without what the rest of the line already has
(`rest_of_line.py`), with open brackets and blocks closed (`closing.py`), and then shorter and
shorter beginnings. The first candidate with which the file is valid (`validity.py`) is shown.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice

from midline.model.completion.closing import closed_blocks, closed_line
from midline.model.completion.code_lines import imbalance, indentation, net_depth
from midline.model.completion.insertion_point import InsertionPoint
from midline.model.completion.place import Extent, Place
from midline.model.completion.repeats import copies_above, copies_below
from midline.model.completion.rest_of_line import (
    begins_like_the_rest,
    is_word,
    makes_known_words,
    readings,
)
from midline.model.completion.stopping import Fits, completion_end

_MAX_TRIED = 32
_MAX_LINES_TRIED = 12
_WORD = re.compile(r"\w")
_HALF_A_WORD = re.compile(r"\w+\Z")
_PIECE_ENDS = re.compile(r"(?<=\w)(?!\w)|(?<=[)\]}\"'`;,])")


def shown_text(text: str, around: InsertionPoint, *, complete: bool) -> str:
    """What of a generated `text` to show, "" if nothing; `around.tail` is part of it.

    `complete` tells that the model or a rule ended it. Otherwise an unfinished last line is left
    out if whole lines come before it, and what these leave open is closed.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    kept = finished_text(text, around.place, complete=complete, fits=around.stop_test)
    found = _without_the_rest(kept, around) if around.place.rest.strip() else [kept]
    styled = [around.style.apply(each, around.place.fragment) for each in found if each.strip()]
    shown = _first_that_fits(styled, around, complete)
    if not (shown or complete or around.place.rest.strip()):
        shown = _cut_line(around.style.apply(text, around.place.fragment), around)
    return shown + around.tail if shown.strip() else ""


def _cut_line(text: str, around: InsertionPoint) -> str:
    """A text whose lines are worth nothing without its unfinished last one: "" if it does not fit.

    As it does where that is the only line of a block.
    """
    whole = _HALF_A_WORD.sub("", text).rstrip()
    return whole if around.validity is not None and around.fits(whole) else ""


def finished_text(text: str, place: Place, *, complete: bool, fits: Fits | None = None) -> str:
    """`text` up to its end, without white space behind it where nothing follows on the line."""
    end = completion_end(text, place, complete=complete, fits=fits)
    if end is None and not complete and (place.extent is not Extent.LINE or fits):
        end = _last_whole_line(text)
    kept = text[:end]
    if place.rest.strip():
        return kept
    return "" if _says_nothing(kept, place, complete=complete) else _without_filler(kept, place)


def _says_nothing(text: str, place: Place, *, complete: bool) -> bool:
    """Whether lines only say again what stands above, or, where they were cut off, below."""
    lines, is_begun = text.rstrip().split("\n"), bool(place.fragment.strip())
    own = lines if is_begun else [place.fragment + lines[0], *lines[1:]]
    below = not (complete or is_begun) and copies_below(own, place)
    return below or (not (is_begun and lines[0].strip()) and copies_above(own, place))


def _without_filler(text: str, place: Place) -> str:
    """Lines without a last `pass` of Python's where the block goes on below the cursor."""
    kept = text.rstrip()
    before, _, last = kept.rpartition("\n")
    line = last if before else place.fragment + last
    is_filler = place.language == "python" and line.strip() == "pass"
    goes_on = indentation(place.following) == indentation(line) and place.below != ()
    return before.rstrip() if is_filler and goes_on else kept


def _last_whole_line(text: str) -> int | None:
    end = text.rfind("\n")
    return end if end > 0 and text[:end].strip() else None


def _without_the_rest(text: str, around: InsertionPoint) -> list[str]:
    """Ways to read `text` that do not say what follows on the line, the likeliest first."""
    place = around.place
    found = [
        each for each in readings(text, place) if makes_known_words(each, place, around.is_known)
    ]
    if around.validity is None:
        return _balanced(found, around)
    if "\n" not in text:  # in texts and prose the grammar lets any bracket pass
        found.sort(key=lambda each: imbalance(place.fragment + each + place.rest, place.language))
    if not any(around.fits(each) for each in found) and begins_like_the_rest(text, place):
        return []
    return found


def _balanced(found: list[str], around: InsertionPoint) -> list[str]:
    """The likeliest reading if it opens nothing, or else the one that leaves least open, if it
    opens no bracket too many.
    """
    place = around.place

    def line(text: str) -> str:
        return place.fragment + text + place.rest

    def left(text: str) -> int:
        return imbalance(line(text), place.language)

    def depth(text: str) -> int:
        return net_depth(line(text), place.language)

    best = min(found, key=left, default="")
    if found and not imbalance(found[0], place.language) and left(found[0]) <= left(""):
        best = found[0]
    is_no_deeper = abs(depth(best)) <= abs(depth(""))
    elsewhere = around.depth_elsewhere
    closes = abs(elsewhere + depth(best)) <= abs(elsewhere + depth(""))
    return [best] if is_no_deeper or closes else []


def _first_that_fits(found: list[str], around: InsertionPoint, complete: bool) -> str:
    """The first candidate that leaves nothing open, or else the first that does no harm.

    Of a file that does not parse anyway, or else, the first line.
    """
    if around.validity is None or not found:
        return found[0] if found else ""
    best, before = "", around.validity.syntax
    for number, tried in enumerate(islice(_candidates(found, around, complete), _MAX_TRIED)):
        if around.fits(tried):
            return tried
        if not best and around.does_no_harm(tried):
            best = tried
        if best and before.errors_elsewhere and number >= len(found):
            return best
    return best or (_first_line(found[0]) if before.errors and not around.tail else "")


def _first_line(text: str) -> str:
    return text.partition("\n")[0].rstrip("\r")


def _candidates(found: list[str], around: InsertionPoint, complete: bool) -> Iterator[str]:
    """The readings, closed if they are open, and shorter and shorter; each once."""
    tried: set[str] = set()
    for attempt in _attempts(found, around, complete):
        if attempt.strip() and attempt not in tried and not _sticks(attempt, found, around.place):
            tried.add(attempt)
            yield attempt


def _attempts(found: list[str], around: InsertionPoint, complete: bool) -> Iterator[str]:
    yield from found
    yield from _at_the_cursor(found[0], around.place)
    yield from _header(found[0], around.place)
    for text in found:
        yield from _closed(text, around, complete)
    yield from _beginnings(found[0], around)


def _at_the_cursor(text: str, place: Place) -> Iterator[str]:
    """Whole lines that begin in a deeper column than the cursor's, moved back to that."""
    space = text[: len(text) - len(text.lstrip(" \t"))]
    if not space or place.fragment.strip():
        return
    first, *lines = text[len(space) :].split("\n")
    if all(line.startswith(space) or not line.strip() for line in lines):
        yield "\n".join([first, *(line.removeprefix(space) for line in lines)])


def _header(text: str, place: Place) -> Iterator[str]:
    """`text` up to the first header whose block stands below the cursor."""
    at = text.find("\n")
    while at >= 0:
        line = (place.fragment + text[:at]).rpartition("\n")[2].rstrip()
        if place.is_header(line):
            yield text[:at].rstrip()
            return
        at = text.find("\n", at + 1)


def _closed(text: str, around: InsertionPoint, complete: bool) -> Iterable[str]:
    """`text` with what it lacks; the end of a cut expression is not guessed."""
    if around.place.rest.strip():
        return ()
    blocks = closed_blocks(text, around.place, around.style.line_end)
    return [*closed_line(text, around.place), *blocks] if complete else blocks


def _beginnings(text: str, around: InsertionPoint) -> Iterator[str]:
    """Whole lines of `text`, fewer and fewer, then pieces of its first line."""
    lines = text.splitlines(keepends=True)
    for count in range(min(len(lines) - 1, _MAX_LINES_TRIED), 0, -1):
        beginning = "".join(lines[:count]).rstrip()
        yield beginning
        yield from _closed(beginning, around, complete=False)
    first = _first_line(text)
    for match in reversed(list(_PIECE_ENDS.finditer(first))):
        piece = first[: match.start()]
        if _WORD.search(first, match.start()) is None or _is_whole_expression(piece, around.place):
            yield piece


def _is_whole_expression(piece: str, place: Place) -> bool:
    return piece.endswith((")", "]", "}", '"', "'")) and not imbalance(piece, place.language)


def _sticks(text: str, found: list[str], place: Place) -> bool:
    """Whether a word of a shortened text would run into one of the rest of the line."""
    return text not in found and is_word(text[-1:] or " ") and is_word(place.rest[:1] or " ")
