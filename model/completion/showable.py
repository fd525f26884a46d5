"""The part of a completion that may be shown while it is still being generated.

A completion is shown up to the end of a line or of a list element, never up to where decoding
happened to be. What is shown only grows as more text is generated, except if its end turns out to
repeat the text that follows in the file.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from midline.model.completion.code_lines import indentation, masked, net_depth, opens
from midline.model.completion.fim import Cursor
from midline.model.completion.insertion_point import InsertionPoint
from midline.model.completion.place import Extent, Place, Unit
from midline.model.completion.stopping import completion_end
from midline.model.completion.trimming import shown_text

_MAX_TRIED = 6
_SEPARATOR = re.compile(r"[,;]")


@dataclass(frozen=True)
class Showable:
    """`text` may be shown now, "" for nothing yet; `may_grow` tells that more could extend it."""

    text: str
    may_grow: bool


def showable(
    cursor: Cursor, text: str, *, final: bool, complete: bool = True, above: bool = False
) -> Showable:
    """What may be shown at `cursor` of the `text` that a model has written there so far.

    The longest beginning that is whole: with it the file parses as well as without it, its last
    line or list element is finished, and it repeats nothing that follows. `final` tells that no
    more comes, `complete` that it was the model that ended it, and not a limit; a text that is not
    final but goes beyond its end is shown as a final one. Where the answer is one for a line of its
    own `above` the cursor's, what is shown brings the beginning of that line along.

    Takes about a millisecond for a text that is a line longer than the one before it.
    """
    return showable_at(_insertion_point(cursor, above), text, final=final, complete=complete)


def showable_at(
    around: InsertionPoint, text: str, *, final: bool, complete: bool = True
) -> Showable:
    """`showable` where the insertion point is known already."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    end = completion_end(text, around.place, complete=final, fits=around.stop_test)
    if final or end is not None:
        return Showable(shown_text(text, around, complete=complete or end is not None), False)
    for whole in islice(_beginnings(text, around), _MAX_TRIED):
        shown = shown_text(whole, around, complete=True)
        if shown and _styled(whole, around) == shown.rstrip():
            return Showable(shown, True)
    return Showable("", True)


@lru_cache(maxsize=8)
def _insertion_point(cursor: Cursor, above: bool) -> InsertionPoint:
    return InsertionPoint.of(cursor, above=above)


def _styled(text: str, around: InsertionPoint) -> str:
    return (around.style.apply(text, around.place.fragment) + around.tail).rstrip()


def _beginnings(text: str, around: InsertionPoint) -> Iterator[str]:
    """Beginnings that end a line or an element and leave nothing open, the longest first.

    A header is one where its block stands below the cursor already.
    """
    place = around.place
    in_line = bool(place.rest.strip()) and place.unit is Unit.USUAL
    for end in _ends(text, around):
        whole = text[:end]
        is_open = net_depth(whole, place.language) > 0
        if not whole.strip() or (is_open and not _has_its_block(whole, place)):
            continue
        is_header = not in_line and opens(whole.rstrip())
        if (is_open or not is_header or _has_its_block(whole, place)) and around.fits(whole):
            yield whole


def _has_its_block(header: str, place: Place) -> bool:
    """Whether the line below the cursor is indented deeper than the last line of `header`, which
    begins a block.
    """
    line = (place.fragment + header).rstrip().rpartition("\n")[2]
    return opens(line) and indentation(place.following) > indentation(line)


def _ends(text: str, around: InsertionPoint) -> list[int]:
    """Offsets behind whole lines, statements and, in a line, elements; the last first."""
    code = masked(text, around.place.language)
    found = [at for at, character in enumerate(text) if character == "\n"]
    if around.place.extent in (Extent.LINE, Extent.BRACKETS):
        found += [match.start() for match in _SEPARATOR.finditer(code) if match.group() == ","]
    elif around.place.unit is not Unit.COMMENT:
        found += [match.end() for match in _SEPARATOR.finditer(code) if match.group() == ";"]
    return sorted(found, reverse=True)
