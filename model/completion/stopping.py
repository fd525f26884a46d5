"""When a completion is finished.

One rule serves twice: `completion_end` finds where a text is over. While tokens are drawn it tells
when to stop, and afterwards where to cut (`trimming`).
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import islice

from midline.model.completion.fim import Cursor
from midline.model.completion.syntax import SyntaxAround
from midline.model.tokenizer.base import TokenizerBase

_CLOSERS = re.compile(r"[)\]}>]+[;,]?|end\b;?|esac|fi|done")
_CONTINUES = re.compile(r"[)\]}{.?:&|+]|(else|elif|elsif|except|finally|catch|rescue|ensure|end)\b")
STRINGS = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'')
DEPTH = {"(": 1, "[": 1, "{": 1, ")": -1, "]": -1, "}": -1}
_OPENS_LINE = re.compile(r"[\\:,([{=+\-*/%&|<.]$|\b(and|or|not|in|is|if|else|lambda)$")
_MARKS_NEXT = re.compile(r"\s*(@[\w.]+|#!?\[)")
_COMMENTS = re.compile(r"\s*(//|#|--|/?\*)")
_DECORATIONS = {"decorator", "annotation", "marker_annotation", "attribute_item", "attribute_list"}
_TEXTS = ("comment", "string", "char_literal", "heredoc")
_CODE_IN_TEXT = ("interpolation", "substitution", "embedded")
_ENDED_BY_NEWLINE = {"python", "go", "bash"}
_BRACKETS = {"(": ")", "[": "]"}
_LINE_LENGTH = 1024
"""Of a longer line, what is nearest to the cursor."""
_TAB_WIDTH = 4
_MAX_BLANK_LINES = 1
_CYCLE_LINES = 4
_CYCLE_TIMES = 3
_RUN_PERIOD = 40
_RUN_LENGTH = 100
_LINES_BELOW = 3
_TELLING_LINE = 4
_TELLING_LATER_LINE = 8
"""Letters and digits that make a repeated line more than punctuation."""


class Extent(StrEnum):
    """How much a completion is meant to write."""

    LINE = "line"
    """what is missing in a line: something follows on it, or the block it opens is there already"""
    STATEMENT = "statement"
    """the rest of a line, and the block that it opens"""
    BLOCK = "block"
    """lines from an empty one on, to the end of the block"""


class Unit(StrEnum):
    """What the syntax around a cursor makes of a completion."""

    USUAL = "usual"
    LINE = "line"
    """the end of a comment, a string or an element of brackets that are closed already"""
    DEFINITION = "definition"
    """what a decorator, an annotation or an attribute in front of the cursor belongs to"""
    PARAGRAPH = "paragraph"
    """what a comment above the cursor tells of"""
    STATEMENT = "statement"
    """one statement, whatever is in front of the cursor"""


@dataclass(frozen=True)
class Place:
    """What is around a cursor, as far as the end of a completion depends on it.

    `fragment` is the line up to the cursor, `rest` what follows on it, `below` the first few lines
    under it that are not blank, without their ends but with their indentation.
    """

    fragment: str
    rest: str
    below: tuple[str, ...]
    unit: Unit = Unit.USUAL
    language: str | None = None

    @classmethod
    def of(cls, cursor: Cursor, syntax: SyntaxAround | None = None) -> "Place":
        """The place of `cursor`; bytes that are not UTF-8 are replaced, nothing is cut by them."""
        fragment = cursor.fragment.decode("utf-8", "replace")[-_LINE_LENGTH:]
        rest, _, below = cursor.after.decode("utf-8", "replace").partition("\n")
        lines = islice((line for line in below.splitlines() if line.strip()), _LINES_BELOW)
        unit = _unit(fragment, cursor, syntax)
        language = syntax.language if syntax else None
        return cls(fragment, rest.rstrip("\r")[:_LINE_LENGTH], tuple(lines), unit, language)

    @property
    def following(self) -> str:
        """The first of the lines below, "" if there is none."""
        return self.below[0] if self.below else ""

    @cached_property
    def extent(self) -> Extent:
        """What is around the cursor decides: text behind it, text before it, or an empty line."""
        if self.rest.strip() or self.unit is Unit.LINE:
            return Extent.LINE
        if not self.fragment.strip() and self.unit is not Unit.STATEMENT:
            return Extent.BLOCK
        has_block = indentation(self.following) > indentation(self.fragment)
        return Extent.LINE if has_block else Extent.STATEMENT


def _unit(fragment: str, cursor: Cursor, syntax: SyntaxAround | None) -> Unit:
    if fragment.strip():
        return Unit.LINE if syntax and _ends_with_the_line(fragment, syntax) else Unit.USUAL
    above = cursor.before[: len(cursor.before) - len(cursor.fragment)].rstrip(b"\r\n")
    line = above[above.rfind(b"\n") + 1 :].decode("utf-8", "replace")
    types = {node.type for node in syntax.ending()} if syntax else set()
    if types & _DECORATIONS or (not syntax and _MARKS_NEXT.match(line)):
        return Unit.DEFINITION
    commented = any("comment" in name for name in types)
    return Unit.PARAGRAPH if commented or (not syntax and _COMMENTS.match(line)) else Unit.USUAL


def _ends_with_the_line(fragment: str, syntax: SyntaxAround) -> bool:
    """Whether the cursor is in a comment or string, or in brackets of its line closed below it."""
    if any("comment" in node.type for node in syntax.ending()) and not fragment.endswith("*/"):
        return True
    if fragment.rstrip().endswith(("(", "[", "{", ",")):
        return False
    for node in syntax.enclosing():
        if node.type.endswith(_CODE_IN_TEXT):
            return False
        if any(text in node.type for text in _TEXTS):
            return True
        ends = (node.children[0], node.children[-1]) if len(node.children) > 1 else ()
        if ends and _BRACKETS.get(ends[0].type) == ends[1].type:
            return not ends[1].is_missing and ends[0].start_point[0] == syntax.row
        if ends and ends[0].type == "{":
            return False
    return False


def stop_condition(
    tokenizer: TokenizerBase, place: Place, aligned: int
) -> Callable[[int, list[int]], bool]:
    """A function (sample, ids so far) that tells whether that sample is finished.

    The first `aligned` bytes of every sample repeat text in front of the cursor.
    """
    written: dict[int, tuple[int, bytearray]] = {}

    def stop(sample: int, ids: list[int]) -> bool:
        count, data = written.get(sample, (0, bytearray()))
        for id in ids[count:]:
            if is_marker(tokenizer, id):
                return True
            data += tokenizer.token_bytes(id)
        written[sample] = (len(ids), data)
        return completion_end(whole_characters(bytes(data[aligned:])), place) is not None

    return stop


def written_bytes(tokenizer: TokenizerBase, ids: Sequence[int]) -> bytes:
    """Bytes that a sample has written, up to its first marker."""
    data = bytearray()
    for id in ids:
        if is_marker(tokenizer, id):
            break
        data += tokenizer.token_bytes(id)
    return bytes(data)


def is_marker(tokenizer: TokenizerBase, id: int) -> bool:
    """Whether a token belongs to the model's protocol: text never has any, so text ends there."""
    return id in tokenizer.end_tokens or tokenizer.is_control(id)


def whole_characters(data: bytes) -> str:
    """UTF-8 without the unfinished character at its end; other broken bytes become U+FFFD."""
    for back in range(1, min(3, len(data)) + 1):
        lead = data[-back]
        if 0xC2 <= lead <= 0xF4:
            wanted = 2 + (lead >= 0xE0) + (lead >= 0xF0)
            return data[: len(data) - back if wanted > back else None].decode("utf-8", "replace")
        if lead < 0x80:
            break
    return data.decode("utf-8", "replace")


def completion_end(text: str, place: Place, *, complete: bool = False) -> int | None:
    """Offset in `text` at which the completion is over; None while it may go on.

    `complete` tells that nothing follows, so that the last line is read as a whole one.
    """
    run = _endless_run(text)
    if run is not None:
        return run
    if place.extent is Extent.LINE:
        newline = text.find("\n")
        return None if newline < 0 else newline
    return _Walk(place).end(text, complete)


class _Walk:
    """Follows generated lines until one does not belong to the completion any more.

    `base` is the indentation of the first line, `depth` the brackets left open since then, `ends`
    the offsets behind the `lines` read so far and `written` how many of them are generated.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.base = -1
        self.depth = self.blank = self.written = 0
        self.lines: list[str] = []
        self.ends = [0]

    def end(self, text: str, complete: bool) -> int | None:
        """What `completion_end` says of several lines."""
        lines, start = text.split("\n"), 0
        for number, line in enumerate(lines):
            whole = complete or number < len(lines) - 1
            shown = self.place.fragment + line if number == 0 else line
            if shown.strip():
                if self._is_beyond(shown, number == 0, whole):
                    return self.ends[-1]
                self.written += bool(line.strip())
                if whole and (end := self._read(shown, start + len(line.rstrip()))) is not None:
                    return end
            elif number > 0 and whole:
                self.blank += 1
                if self.base >= 0 and self.blank > _MAX_BLANK_LINES:
                    return self.ends[-1]
            start += len(line) + 1
        return None

    def _read(self, line: str, end: int) -> int | None:
        """Take in a whole line that belongs; the end of everything if nothing can follow it."""
        self.depth += net_depth(line)
        self.blank = 0
        self.lines.append(line)
        self.ends.append(end)
        for cycle in range(1, _CYCLE_LINES + 1):
            if self.lines[-cycle * _CYCLE_TIMES :] == self.lines[-cycle:] * _CYCLE_TIMES:
                return self.ends[-cycle * (_CYCLE_TIMES - 1) - 1]
        return end if self.written and self._closes(line) else None

    def _is_beyond(self, line: str, first: bool, whole: bool) -> bool:
        """Whether `line` is past the end: back in an outer block, or already in the suffix."""
        indent, text = indentation(line), line.strip()
        if self.base < 0:
            self.base = indent if first else max(indent, indentation(self.place.fragment))
        if whole and not (first and self.place.fragment.strip()) and self._is_following(line):
            return True
        if first or indent > self.base or (not whole and text.isalpha()):
            return False
        if indent < self.base:
            already = self.place.following.strip()[:1] == text[:1]
            return already or not self.written or not _CLOSERS.fullmatch(text)
        if self.depth > 0 or not self.written:
            return False
        if self.place.extent is Extent.STATEMENT:
            return not _CONTINUES.match(text)
        if self.place.unit is Unit.DEFINITION and any(map(self._is_deeper, self.lines)):
            return not _CONTINUES.match(text)
        return self.blank > 0 and (self.base == 0 or self.place.unit is Unit.PARAGRAPH)

    def _is_deeper(self, line: str) -> bool:
        return indentation(line) > self.base

    def _is_following(self, line: str) -> bool:
        """Whether `line` is one of the next lines of the file again."""
        following, telling = self.place.following, sum(map(str.isalnum, line))
        if line.strip() != following.strip():
            return telling >= _TELLING_LATER_LINE and line.rstrip() in self.place.below[1:]
        closing = self.depth + net_depth(line) < 0
        same_depth = indentation(line) == indentation(following)
        return telling >= _TELLING_LINE or (closing and same_depth)

    def _closes(self, line: str) -> bool:
        """Whether `line` closes the statement, or the block around the completion."""
        indent, text = indentation(line), line.strip()
        if self.place.extent is Extent.STATEMENT and indent == self.base and self.depth <= 0:
            newline_ends = self.place.language in _ENDED_BY_NEWLINE and len(self.lines) == 1
            over = newline_ends and not _OPENS_LINE.search(text)
            return over or text.endswith(";") or bool(_CLOSERS.fullmatch(text))
        return indent < self.base and bool(_CLOSERS.fullmatch(text))


def indentation(line: str) -> int:
    """Columns of white space that `line` begins with."""
    space = line[: len(line) - len(line.lstrip())]
    return len(space.expandtabs(_TAB_WIDTH))


def net_depth(text: str) -> int:
    """Brackets opened in `text` less those closed, what is quoted left out."""
    return sum(DEPTH.get(character, 0) for character in STRINGS.sub("", text))


def _endless_run(text: str) -> int | None:
    """Where to cut a text that ends with one short piece over and over, behind the first piece."""
    if len(text) < _RUN_LENGTH:
        return None
    tail = text[-_RUN_LENGTH:]
    for period in range(1, _RUN_PERIOD + 1):
        if tail[period:] == tail[:-period]:
            start = len(text) - _RUN_LENGTH
            while start > 0 and text[start - 1] == text[start - 1 + period]:
                start -= 1
            return start + period
    return None
