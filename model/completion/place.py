"""The surroundings of a cursor that determine where a completion ends."""

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import islice

from midline.model.completion.code_lines import (
    directive_depth,
    indentation,
    is_container,
    is_definition,
    is_text_open,
    opens,
)
from midline.model.completion.fim import Cursor
from midline.model.completion.languages import language_of_text
from midline.model.completion.syntax import SyntaxAround

_MARKS_NEXT = re.compile(r"\s*(@[\w.]+|#!?\[)")
_COMMENTS = re.compile(r"\s*(//|#|--|/?\*)")
_DECORATIONS = {"decorator", "annotation", "marker_annotation", "attribute_item", "attribute_list"}
_TEXTS = ("comment", "string", "char_literal", "heredoc")
_CODE_IN_TEXT = ("interpolation", "substitution", "embedded")
_SEVERAL_LINES = ("`", '"""', "'''")
"""Delimiters of texts that may have several lines."""
_BRACKETS = {"(": ")", "[": "]"}
_LINE_LENGTH = 1024
"""Of a longer line, what is nearest to the cursor."""
_LINES_BELOW = 8
_LINES_ABOVE = 400
_BYTES_ABOVE = 2048


class Extent(StrEnum):
    """How much a completion is meant to write."""

    LINE = "line"
    """what is missing in a line: something follows on it, or the block it opens is there already"""
    BRACKETS = "brackets"
    """what belongs into brackets that are closed right behind the cursor: a line, or a block"""
    STATEMENT = "statement"
    """the rest of a line, and the block that it opens"""
    BLOCK = "block"
    """lines from an empty one on, to the end of the block"""


class Unit(StrEnum):
    """What the syntax around a cursor makes of a completion."""

    USUAL = "usual"
    LINE = "line"
    """the end of a string or of an element of brackets that are closed already"""
    COMMENT = "comment"
    """the end of a comment, or, where that is finished, what it tells of"""
    DEFINITION = "definition"
    """what a decorator, an annotation or an attribute in front of the cursor belongs to"""
    PARAGRAPH = "paragraph"
    """what a comment above the cursor tells of"""
    STATEMENT = "statement"
    """one statement, whatever is in front of the cursor"""


@dataclass(frozen=True)
class Place:
    """What is around a cursor.

    `fragment` is the line up to the cursor, `rest` what follows on it, `below` the first few lines
    under it that are not blank, without their ends but with their indentation, `above` the last few
    over it. No line of a completion may be indented by fewer than `floor` columns, unless it closes
    the block around the cursor: it would leave the function. `is_in_text` tells that a text between
    three quotes was begun above.
    """

    fragment: str
    rest: str
    below: tuple[str, ...]
    unit: Unit = Unit.USUAL
    language: str | None = None
    floor: int | None = None
    above: tuple[str, ...] = ()
    is_in_text: bool = False

    @classmethod
    def of(cls, cursor: Cursor, syntax: SyntaxAround | None = None) -> "Place":
        """The place of `cursor`; bytes that are not UTF-8 are replaced, nothing is cut by them."""
        fragment = cursor.fragment.decode("utf-8", "replace")[-_LINE_LENGTH:]
        rest, _, below = cursor.after.decode("utf-8", "replace").partition("\n")
        lines = islice((line for line in below.splitlines() if line.strip()), _LINES_BELOW)
        return cls(
            fragment,
            rest.rstrip("\r")[:_LINE_LENGTH],
            tuple(lines),
            _unit(fragment, cursor, syntax),
            syntax.language if syntax else language_of_text(cursor.name, cursor.language) or None,
            _floor(fragment, cursor),
            _above(cursor),
            any(cursor.before.count(quote) % 2 for quote in (b'"""', b"'''")),
        )

    @property
    def following(self) -> str:
        """The first of the lines below, "" if there is none."""
        return self.below[0] if self.below else ""

    def is_header(self, line: str) -> bool:
        """Whether a line of a completion opens the block that stands below the cursor."""
        return opens(line.rstrip()) and indentation(self.following) > indentation(line)

    def opens_text(self, text: str) -> bool:
        """Whether `text` at the cursor ends inside a literal of several lines that it begins."""
        return not self.is_in_text and is_text_open(text, self.language)

    @property
    def text_delimiter(self) -> str:
        """What ends the text around the cursor right behind it, if the text may have several lines;
        "" otherwise.
        """
        if self.language == "lua" and "[[" in self.fragment:
            return "]]" if self.rest.startswith("]]") else ""
        found = (text for text in _SEVERAL_LINES if self.rest.startswith(text))
        return next(found, "") if self.unit is Unit.LINE else ""

    @cached_property
    def extent(self) -> Extent:
        """What is around the cursor decides: text behind it, text before it, or an empty line."""
        rest = self.rest.strip()
        if rest:
            return Extent.BRACKETS if rest[0] in ")]}" else Extent.LINE
        if self.unit in (Unit.LINE, Unit.COMMENT):
            return Extent.LINE
        if not self.fragment.strip() and self.unit is not Unit.STATEMENT:
            return Extent.BLOCK
        has_block = indentation(self.following) > indentation(self.fragment)
        has_block = has_block and not directive_depth(self.fragment)
        return Extent.LINE if has_block else Extent.STATEMENT


def _above(cursor: Cursor) -> tuple[str, ...]:
    """The last lines above the cursor's that are not blank."""
    text = cursor.before[: len(cursor.before) - len(cursor.fragment)]
    lines = text[-_BYTES_ABOVE:].decode("utf-8", "replace").splitlines()
    if len(text) > _BYTES_ABOVE:
        del lines[0]  # the rest of one
    return tuple([line for line in lines if line.strip()][-_LINES_BELOW:])


def _floor(fragment: str, cursor: Cursor) -> int | None:
    """One column more than the function around an empty line has; None outside of functions.

    Of functions in functions the outermost, of methods the method.
    """
    if fragment.strip():
        return None
    lines = cursor.before.decode("utf-8", "replace").split("\n")[:-1][-_LINES_ABOVE:]
    least, floor = indentation(fragment + "x"), None
    written = [line for line in lines if line.strip()]
    for number, line in reversed(list(enumerate(written))):
        if indentation(line) < least:
            least = indentation(line)
            if line.lstrip()[0] in ")]":  # the header began in a line of the same column
                least += 1
                continue
            if line.strip() == "{" and number:
                line = written[number - 1].strip() + line  # the header has a line of its own
            if is_container(line.strip()):
                return least + 1 if floor is None else floor
            if is_definition(line.strip()):
                floor = least + 1
    return floor


def _unit(fragment: str, cursor: Cursor, syntax: SyntaxAround | None) -> Unit:
    if fragment.strip():
        return _unit_of_line(fragment, syntax) if syntax else Unit.USUAL
    above = cursor.before[: len(cursor.before) - len(cursor.fragment)].rstrip(b"\r\n")
    line = above[above.rfind(b"\n") + 1 :].decode("utf-8", "replace")
    types = {node.type for node in syntax.ending()} if syntax else set()
    marks_next = not syntax and not line.endswith(("{", ";")) and _MARKS_NEXT.match(line)
    if types & _DECORATIONS or marks_next:
        return Unit.DEFINITION
    if not syntax:
        return Unit.PARAGRAPH if _COMMENTS.match(line) else Unit.USUAL
    column = len(line) - len(line.lstrip())
    own_line = (  # a comment behind code tells of that
        node.start_point[1] <= column or node.start_point[0] < node.end_point[0]
        for node in syntax.ending()
        if "comment" in node.type
    )
    return Unit.PARAGRAPH if any(own_line) else Unit.USUAL


def _unit_of_line(fragment: str, syntax: SyntaxAround) -> Unit:
    """Whether the cursor is in a comment or string, or in brackets of its line closed below it."""
    if any("comment" in node.type for node in syntax.ending()) and not fragment.endswith("*/"):
        return Unit.COMMENT
    if fragment.rstrip().endswith(("(", "[", "{", ",")):
        return Unit.USUAL
    for node in syntax.enclosing():
        if node.type.endswith(_CODE_IN_TEXT):
            return Unit.USUAL
        if any(text in node.type for text in _TEXTS):
            return Unit.LINE
        ends = (node.children[0], node.children[-1]) if len(node.children) > 1 else ()
        if ends and _BRACKETS.get(ends[0].type) == ends[1].type:
            closed = not ends[1].is_missing and ends[0].start_point[0] == syntax.row
            return Unit.LINE if closed else Unit.USUAL
        if ends and ends[0].type == "{":
            return Unit.USUAL
    return Unit.USUAL
