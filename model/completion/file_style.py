"""White-space style of a file: the line ends and the indentation that a completion keeps.

Models read and write LF for any file, and sometimes indent by another unit.
"""

import re
from collections import Counter
from dataclasses import dataclass

from midline.model.completion.fim import Cursor
from midline.model.completion.languages import language_of_text

_NEAR_LINES = 200
_INDENT = re.compile(r"\n([ \t]+)(?=\S)")
_INDENT_OF_LINE = re.compile(r"(?m)^[ \t]+")
_UNITS = (2, 3, 4, 8)
_DEFAULT_UNIT = 4
_MOST_OTHERS = 0.05
"""Share of the lines that may be indented differently, not counting single spaces, which comments
have."""


@dataclass(frozen=True)
class FileStyle:
    """`unit` is what one step of indentation is, a tab or spaces; "" where both are in use.

    Tabs mean something in makefiles: there too white space is left as it is.
    """

    line_end: str = "\n"
    unit: str = ""

    @classmethod
    def of(cls, cursor: Cursor) -> "FileStyle":
        """The style near the cursor, which is what counts in a file that mixes several."""
        before = cursor.before.decode("utf-8", "replace")
        after = cursor.after.decode("utf-8", "replace")
        mixes = language_of_text(cursor.name, cursor.language) == "makefile"
        return cls(_line_end(before, after), "" if mixes else _unit(before, after))

    def apply(self, text: str, fragment: str = "") -> str:
        """`text`, which has LF, as the file would have it; the first line continues `fragment`."""
        head, newline, below = text.partition("\n")
        if self.unit and not fragment.strip() and not set(fragment) - set(self.unit):
            head = self._indented(head)
        if self.unit:
            below = _INDENT_OF_LINE.sub(lambda match: self._space(match.group()), below)
        return (head + newline + below).replace("\n", self.line_end)

    def _indented(self, line: str) -> str:
        body = line.lstrip(" \t")
        return self._space(line[: len(line) - len(body)]) + body

    def _space(self, space: str) -> str:
        """Indentation in this style; what mixes tabs and spaces, or fits already, stays."""
        if "\t" in space and (self.unit == "\t" or " " in space):
            return space
        if self.unit == "\t":
            tabs, rest = divmod(len(space), _DEFAULT_UNIT)
            return "\t" * tabs + " " * rest
        return space.replace("\t", self.unit)


def _line_end(before: str, after: str) -> str:
    """That of the line above the cursor, or else of the cursor's own."""
    for text, at in ((before, before.rfind("\n")), (after, after.find("\n"))):
        if at >= 0:
            return "\r\n" if text[at - 1 : at] == "\r" else "\n"
    return "\r" if "\r" in before + after else "\n"


def _unit(before: str, after: str) -> str:
    near = before.splitlines()[-_NEAR_LINES:] + after.splitlines()[:_NEAR_LINES]
    indents = [match.group(1) for match in _INDENT.finditer("\n" + "\n".join(near))]
    tabs = sum(indent.startswith("\t") for indent in indents)
    spaces = [len(indent) for indent in indents if "\t" not in indent and len(indent) > 1]
    if min(tabs, len(spaces)) > _MOST_OTHERS * (tabs + len(spaces)):
        return ""
    return "\t" if tabs > len(spaces) else " " * _step(spaces) if spaces else ""


def _step(widths: list[int]) -> int:
    """The largest unit that most of the indentations are a multiple of."""
    fits = Counter({unit: sum(width % unit == 0 for width in widths) for unit in _UNITS})
    good = [unit for unit in _UNITS if fits[unit] >= 0.9 * len(widths)]
    return max(good, default=_DEFAULT_UNIT)
