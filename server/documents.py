"""Immutable documents with line-based positions in the protocol's three encodings.

Lines end with LF, CRLF or a lone CR, as the protocol says; a form feed or U+2028 ends none.
Bytes that are not UTF-8 travel through a document as lone surrogates, so that what is read from a
file is given to the model unchanged.
"""

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import unquote

if TYPE_CHECKING:
    from midline.model.completion.fim import Cursor, WindowLimits

_CUT_STEP = 4096
_LINE_END = re.compile(r"\r\n|\n|\r")


class PositionEncoding(StrEnum):
    """The unit of a column; the values are those of the protocol."""

    UTF8 = "utf-8"
    UTF16 = "utf-16"
    UTF32 = "utf-32"


def to_bytes(text: str) -> bytes:
    """UTF-8 of `text`: escaped bytes become themselves again, other lone surrogates three bytes."""
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return text.encode("utf-8", "surrogatepass")


def from_bytes(data: bytes) -> str:
    """Text of a file: a byte order mark is left out, bytes that are not UTF-8 are escaped."""
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def count_units(text: str, encoding: PositionEncoding) -> int:
    """Length of `text` in units of `encoding`."""
    if encoding is PositionEncoding.UTF32 or text.isascii():
        return len(text)
    return len(_encoded(text, encoding)) // _unit_bytes(encoding)


def units_to_length(line: str, units: int, encoding: PositionEncoding) -> int:
    """How many characters of `line` the first `units` units cover, at most all of them.

    A position inside a character counts as before it.
    """
    head = line[: max(units, 0)]
    if encoding is PositionEncoding.UTF32 or head.isascii():
        return len(head)
    encoded = _encoded(head, encoding)
    cut = min(units * _unit_bytes(encoding), len(encoded))
    if encoding is PositionEncoding.UTF8:
        while cut < len(encoded) and encoded[cut] & 0xC0 == 0x80:
            cut -= 1
        return len(encoded[:cut].decode("utf-8", "surrogatepass"))
    length = len(encoded[:cut].decode("utf-16-le", "surrogatepass"))
    splits_a_pair = length and count_units(head[:length], encoding) > units
    return length - 1 if splits_a_pair else length


def _unit_bytes(encoding: PositionEncoding) -> int:
    return 2 if encoding is PositionEncoding.UTF16 else 1


def _encoded(text: str, encoding: PositionEncoding) -> bytes:
    name = "utf-16-le" if encoding is PositionEncoding.UTF16 else "utf-8"
    return text.encode(name, "surrogatepass")


@dataclass(frozen=True)
class Document:
    """One version of a text. Editing returns a new document."""

    uri: str
    text: str
    language: str = ""
    version: int | None = None

    @cached_property
    def line_starts(self) -> list[int]:
        """Offset of the first character of every line; a final line end opens an empty line."""
        return [0, *(match.end() for match in _LINE_END.finditer(self.text))]

    @property
    def name(self) -> str:
        """The file's name without its folders, "" for a text that has never been saved."""
        scheme, _, path = self.uri.partition(":")
        return "" if scheme == "untitled" else unquote(path.rpartition("/")[2])

    def line(self, number: int) -> str:
        """Line `number` (from 0) without its line end."""
        start = self.line_starts[number]
        following = number + 1
        if following == len(self.line_starts):
            return self.text[start:]
        line = self.text[start : self.line_starts[following]]
        return line.removesuffix("\n").removesuffix("\r")

    def line_number(self, offset: int) -> int:
        """Number (from 0) of the line that the character at `offset` belongs to."""
        return bisect_right(self.line_starts, offset) - 1

    def offset(self, line: int, units: int, encoding: PositionEncoding) -> int:
        """Offset of a position; outside the text it is the nearest inside, as the protocol says."""
        if line < 0:
            return 0
        if line >= len(self.line_starts):
            return len(self.text)
        return self.line_starts[line] + units_to_length(self.line(line), units, encoding)

    def position(self, offset: int, encoding: PositionEncoding) -> tuple[int, int]:
        """Line (from 0) and column in units of `encoding` of a character."""
        line = self.line_number(offset)
        return line, count_units(self.text[self.line_starts[line] : offset], encoding)

    def cursor(self, offset: int, limits: "WindowLimits") -> "Cursor":
        """What a completion at `offset` reads of the text, within `limits` or a little more.

        Where the text is cut moves in steps, so that typing in an endless line seldom moves it.
        """
        from midline.model.completion.fim import Cursor

        start = max(0, offset - limits.before_bytes)
        before = self.text[start - start % _CUT_STEP : offset]
        after = self.text[offset : offset + limits.after_bytes]
        line = self.line_number(offset)
        return Cursor(to_bytes(before), to_bytes(after), line, self.name, language=self.language)

    def edited(self, start: int, end: int, text: str, version: int | None) -> "Document":
        """The document in which the characters from `start` up to `end` have become `text`."""
        end = max(start, end)
        after = replace(self, text=f"{self.text[:start]}{text}{self.text[end:]}", version=version)
        # Fills the cached property, which would otherwise scan the whole text after every key.
        after.__dict__["line_starts"] = self._edited_line_starts(start, end, after.text)
        return after

    def _edited_line_starts(self, start: int, end: int, text: str) -> list[int]:
        """Line starts before and after the edit are kept; the text between them is scanned
        again.
        """
        kept = self.line_starts[: max(1, bisect_left(self.line_starts, start))]
        shift = len(text) - len(self.text)
        behind = [s + shift for s in self.line_starts[bisect_right(self.line_starts, end) :]]
        limit = behind[0] if behind else len(text)
        scanned = [match.end() for match in _LINE_END.finditer(text, kept[-1], limit)]
        if behind and scanned and scanned[-1] == limit:
            scanned.pop()
        return [*kept, *scanned, *behind]
