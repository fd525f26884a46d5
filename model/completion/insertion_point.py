"""The insertion point: everything that judges texts at one cursor, computed once."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from midline.model.completion.code_lines import net_depth
from midline.model.completion.file_style import FileStyle
from midline.model.completion.fim import Cursor
from midline.model.completion.identifiers import KnownWords
from midline.model.completion.place import Place, Unit
from midline.model.completion.stopping import Fits
from midline.model.completion.syntax import SyntaxAround
from midline.model.completion.validity import Validity

_MOST_COUNTED = 64 << 10
"""Bytes before and behind the cursor in which brackets are counted."""
_WITH_MACROS = {"c", "cpp"}
_MACRO = re.compile(
    r"(?m)^([ \t]*[A-Z][A-Z0-9_]{2,})(?:\([^\n;{}]*\))?(?=[ \t]*$)"
    r"(?!\s*[({=.;,\[-])"  # goes on in the next line
)
"""A line with nothing but a macro of C, which no grammar can expand: it is read as a statement."""


@dataclass(frozen=True)
class InsertionPoint:
    """The place of a cursor, the style of its file, its syntax and its words.

    `tail` follows every text that is shown there. `is_known` tells whether a word occurs in the
    file or in its language. Without a grammar there is no `validity`, and `depth_elsewhere` tells
    how many brackets the other lines leave open.
    """

    place: Place
    style: FileStyle
    validity: Validity | None = None
    is_known: Callable[[str], bool] = lambda word: True
    tail: str = ""
    depth_elsewhere: int = 0

    @classmethod
    def of(cls, cursor: Cursor, *, above: bool = False) -> "InsertionPoint":
        """What is around `cursor`.

        With `above` the text on the cursor's line is taken for the beginning of a line of its own,
        above the cursor's, which the completion has to begin again behind it: the `tail`.
        """
        syntax, style = SyntaxAround.of(cursor), FileStyle.of(cursor)
        place, tail = Place.of(cursor, syntax), ""
        if above:
            place, tail = (
                _above(cursor),
                style.line_end + cursor.fragment.decode("utf-8", "replace"),
            )
        known = KnownWords(cursor.before, cursor.after, place.language)
        if syntax is not None:
            return cls(place, style, Validity(syntax), known, tail)
        return cls(place, style, None, known, tail, _depth_elsewhere(cursor, place.language))

    def fits(self, text: str) -> bool:
        """Whether `text` leaves nothing open at the cursor."""
        return self.validity is None or self.validity.is_whole(self._written(text))

    def does_no_harm(self, text: str) -> bool:
        """Whether the file is no worse with `text` than without it."""
        return self.validity is None or self.validity.does_no_harm(self._written(text))

    def _written(self, text: str) -> bytes:
        if self.place.language in _WITH_MACROS:
            text = _MACRO.sub(r"\1();", text)
        return (text + self.tail).encode("utf-8", "surrogatepass")

    @property
    def stop_test(self) -> Fits | None:
        """`fits` for `completion_end`; None without a grammar."""
        return None if self.validity is None else self.fits


def _depth_elsewhere(cursor: Cursor, language: str | None) -> int:
    """Brackets that the lines above and below the cursor's open, less those they close."""
    above = cursor.before[: len(cursor.before) - len(cursor.fragment)]
    below = cursor.after.partition(b"\n")[2]
    texts = (text[-_MOST_COUNTED:] for text in (above, below[:_MOST_COUNTED]))
    return sum(net_depth(text.decode("utf-8", "replace"), language) for text in texts)


def _above(cursor: Cursor) -> Place:
    """The place of a line above the cursor's: whole lines from its beginning on, or a statement."""
    below = replace(cursor, after=b"\n" + cursor.fragment + cursor.after)
    place = Place.of(below)
    return replace(place, unit=Unit.STATEMENT if cursor.fragment.strip() else Unit.USUAL)
