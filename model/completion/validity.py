"""Validity of a file with a completion in it.

The grammar decides, and for Python also its compiler, since the grammar accepts headers without a
block and inconsistent indentation.
"""

import warnings
from functools import cached_property
from typing import TYPE_CHECKING

from midline.model.completion.faults import fault_kinds
from midline.model.completion.language_rules import breaks_a_rule
from midline.model.completion.syntax import SyntaxAround, is_misindented

if TYPE_CHECKING:
    from tree_sitter import Tree

_MAX_COMPILED = 64 << 10
"""Most bytes given to the compiler, which takes about a millisecond per 1,300."""


class Validity:
    """Checks completions at one cursor, compared with the file without them."""

    def __init__(self, syntax: SyntaxAround) -> None:
        self.syntax = syntax
        self._seen: dict[bytes, bool] = {}

    @cached_property
    def was_accepted(self) -> bool:
        """Whether the language's own parser takes the file as it is."""
        return self.syntax.errors == 0 and self.is_accepted(b"")

    @cached_property
    def faults(self) -> frozenset[str]:
        """The kinds of faults that the file has as it is, which its grammar lets pass."""
        return fault_kinds(self.syntax.tree_with(b""), self.syntax.language)

    def is_whole(self, written: bytes) -> bool:
        """Whether nothing at the cursor is left open or broken with `written` there."""
        if self.syntax.errors_with(written) > self.syntax.errors_elsewhere:
            return False
        return self.is_accepted(written) and self._keeps_the_rules(written)

    def does_no_harm(self, written: bytes) -> bool:
        """Whether the file has no more faults than before, and is accepted if it was before."""
        if self.syntax.errors_with(written) > self.syntax.errors:
            return False
        if not self.was_accepted:
            return self._is_indented(written) and self._keeps_the_rules_here(written)
        return self.is_accepted(written) and self._keeps_the_rules(written)

    def is_accepted(self, written: bytes) -> bool:
        """Whether the language's own parser takes what stands around the cursor with `written`.

        Where there is no such parser at hand, its grammar does; and where Python is at fault
        elsewhere, its grammar and the rules of indentation.
        """
        if self.syntax.language != "python":
            return True
        if self.syntax.errors_elsewhere:
            return self._is_indented(written)
        found = self._seen.get(written)
        if found is None:
            found = self._seen[written] = self._compiles(written)
        return found

    def _keeps_the_rules(self, written: bytes) -> bool:
        """Whether nothing that its grammar lets pass spoils what needed no mending."""
        if not written or self.syntax.errors_with(written) < self.syntax.errors:
            return True
        start, text = self.syntax.offset, self.syntax.text_with(written)
        end = start + len(written)
        newline = text.find(b"\n", end)
        line_end = newline if newline >= 0 else len(text)
        tree, language = self.syntax.tree_with(written), self.syntax.language
        if breaks_a_rule(tree, language, start, end, line_end):
            return False
        within = self.syntax.changed_with(written)
        return not fault_kinds(tree, language, but=self.faults, within=within)

    def _keeps_the_rules_here(self, written: bytes) -> bool:
        """`_keeps_the_rules`, where the cursor's place is whole and what is refused is elsewhere.

        The grammar may refuse what the language takes, as a line of JavaScript without a semicolon.
        """
        syntax = self.syntax
        return syntax.errors > syntax.errors_elsewhere or self._keeps_the_rules(written)

    def _is_indented(self, written: bytes) -> bool:
        """Whether `written`, if it is Python, has a block below each header, in its column."""
        if self.syntax.language != "python" or not written.strip():
            return True
        start = self.syntax.offset
        return not is_misindented(self.syntax.tree_with(written), start, start + len(written))

    def _compiles(self, written: bytes) -> bool:
        text, start = self.syntax.text_with(written), self.syntax.offset
        end = start + len(written)
        first, last = _statements_around(self.syntax.tree_with(written), start, end, len(text))
        if last - first > _MAX_COMPILED:
            return True
        return is_python(text[first:last]) or (
            len(text) <= _MAX_COMPILED and last - first < len(text) and is_python(text)
        )


def _statements_around(tree: "Tree", start: int, end: int, size: int) -> tuple[int, int]:
    """Offsets of the top-level statements that a range touches, and of one on either side."""
    first, last = 0, size
    for node in tree.root_node.children:
        if "comment" in node.type or node.start_point[1] > 0:
            continue
        if node.end_byte < start:
            first = node.start_byte
        elif node.start_byte > end:
            last = node.end_byte
            break
    return first, last


def is_python(text: bytes) -> bool:
    """Whether Python's compiler takes a text; True for one that is nested too deeply to tell."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(text, "<completion>", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):
        return False
    except (MemoryError, RecursionError):
        return True
    return True
