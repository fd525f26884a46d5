"""Incremental parsing with tree-sitter: the syntax of a file, and of the file with a completion.

A text is parsed once per keystroke, from the tree before the key, and once per candidate, from the
tree without it. Either takes about a millisecond, whatever the size of the text. Without
tree-sitter or a grammar, and in texts of more than `MAX_BYTES`, there is no tree, and callers use
rules on lines.
"""

import importlib
import re
import threading
import warnings
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import TYPE_CHECKING

from midline.model.completion.fim import Cursor
from midline.model.completion.languages import language_of_text

if TYPE_CHECKING:
    from tree_sitter import Node, Parser, Tree

MAX_BYTES = 192 << 10
"""Largest text that is parsed; its first parse takes about 50 ms, later ones are incremental."""
MAX_LINE_BYTES = 16 << 10
"""Texts with longer lines are generated or data and are not parsed."""
_MAX_ERRORS = 200
_REMEMBERED = 8
_REMEMBERED_COUNTS = 512
_TOP_LEVEL = re.compile(rb"\n(?=[^\s)\]}])")


@dataclass(frozen=True)
class Grammar:
    """The module that has a language's grammar, and its function that hands it out."""

    module: str
    function: str = "language"

    @property
    def package(self) -> str:
        """What the package index calls it."""
        return self.module.replace("_", "-")


GRAMMARS = {
    "bash": Grammar("tree_sitter_bash"),
    "c": Grammar("tree_sitter_c"),
    "cpp": Grammar("tree_sitter_cpp"),
    "csharp": Grammar("tree_sitter_c_sharp"),
    "css": Grammar("tree_sitter_css"),
    "go": Grammar("tree_sitter_go"),
    "html": Grammar("tree_sitter_html"),
    "java": Grammar("tree_sitter_java"),
    "javascript": Grammar("tree_sitter_javascript"),
    "json": Grammar("tree_sitter_json"),
    "kotlin": Grammar("tree_sitter_kotlin"),
    "lua": Grammar("tree_sitter_lua"),
    "perl": Grammar("tree_sitter_perl"),
    "php": Grammar("tree_sitter_php", "language_php"),
    "python": Grammar("tree_sitter_python"),
    "ruby": Grammar("tree_sitter_ruby"),
    "rust": Grammar("tree_sitter_rust"),
    "scala": Grammar("tree_sitter_scala"),
    "swift": Grammar("tree_sitter_swift"),
    "tsx": Grammar("tree_sitter_typescript", "language_tsx"),
    "typescript": Grammar("tree_sitter_typescript", "language_typescript"),
}
_parsing = threading.Lock()
"""Parsers are stateful and parse one text at a time."""


def language_of(name: str, identifier: str = "") -> str | None:
    """The language of a file by an editor's language identifier, or else by the file's name.

    None where there is no grammar for it.
    """
    language = language_of_text(name, identifier)
    return language if language in GRAMMARS else None


@cache
def parser(language: str) -> "Parser | None":
    """The parser of `language`; None if tree-sitter or the grammar is not installed."""
    grammar = GRAMMARS[language]
    try:
        from tree_sitter import Language, Parser

        module = importlib.import_module(grammar.module)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of older grammars' way to say it
            return Parser(Language(getattr(module, grammar.function)()))
    except (ImportError, AttributeError, ValueError):  # absent, or of another ABI
        return None


class SyntaxAround:
    """The syntax of a text with a cursor in it.

    `errors` is how many places in it do not parse, `errors_elsewhere` how many of them do not touch
    the cursor's line; `row` is the number of that line in what was parsed.
    """

    def __init__(self, language: str, parser: "Parser", before: bytes, after: bytes) -> None:
        self.language = language
        self._parser, self._before, self._after = parser, before, after
        self._tree = _trees.tree(parser, before + after)
        self._errors_with: dict[bytes, int] = {}
        self.row = before.count(b"\n")
        start = before.rfind(b"\n") + 1
        end = len(before) + len(after.partition(b"\n")[0])
        found = list(_errors(self._tree.root_node))
        self.errors = len(found)
        self.errors_elsewhere = sum(n.end_byte < start or n.start_byte > end for n in found)
        if self.errors_elsewhere:  # or only what an open bracket in the cursor's line makes of them
            self.errors_elsewhere = min(self.errors_elsewhere, self._errors_without(start, end))

    def _errors_without(self, start: int, end: int) -> int:
        """How many places do not parse once the bytes between two offsets are left out."""
        old = self._before + self._after
        text = old[:start] + old[end:]
        return count_errors(_changed(self._parser, self._tree, old, text, start, end - start, 0))

    @classmethod
    def of(cls, cursor: Cursor) -> "SyntaxAround | None":
        """The syntax around `cursor`; None if the text has no grammar or is not one to parse."""
        language = language_of(cursor.name, cursor.language)
        if language is None or not _is_worth_parsing(cursor):
            return None
        found = parser(language)
        return None if found is None else cls(language, found, _whole_lines(cursor), cursor.after)

    @property
    def offset(self) -> int:
        """Where the cursor is in what was parsed, in bytes."""
        return len(self._before)

    def text_with(self, written: bytes) -> bytes:
        """What is parsed once `written` stands at the cursor."""
        return self._before + written + self._after

    def tree_with(self, written: bytes) -> "Tree":
        """The tree once `written` stands at the cursor."""
        old, at = self._before + self._after, len(self._before)
        return _changed(self._parser, self._tree, old, self.text_with(written), at, 0, len(written))

    def changed_with(self, written: bytes) -> list[tuple[int, int]]:
        """Where the tree is another one once `written` stands at the cursor: ranges of offsets in
        that text, the first of which are the lines of `written` and one on either side.
        """
        new, text = self.tree_with(written), self.text_with(written)
        start, end = len(self._before), len(self._before) + len(written)
        first = text.rfind(b"\n", 0, max(0, text.rfind(b"\n", 0, start))) + 1
        newline = text.find(b"\n", end)
        last = text.find(b"\n", newline + 1) if newline >= 0 else -1
        tree = self._tree.copy()
        tree.edit(start, start, end, *(_point(text, at) for at in (start, start, end)))
        changed = [(found.start_byte, found.end_byte) for found in tree.changed_ranges(new)]
        return [(first, last if last >= 0 else len(text)), *changed]

    def errors_with(self, written: bytes) -> int:
        """How many places do not parse once `written` stands at the cursor."""
        found = self._errors_with.get(written)
        if found is None:
            if len(self._errors_with) >= _REMEMBERED_COUNTS:
                self._errors_with.clear()
            found = self._errors_with[written] = count_errors(self.tree_with(written))
        return found

    def enclosing(self) -> Iterator["Node"]:
        """The nodes that the cursor stands inside of, innermost first; not those it touches."""
        at = len(self._before)
        node = self._tree.root_node.descendant_for_byte_range(max(0, at - 1), at)
        while node is not None:
            if node.start_byte < at < node.end_byte:
                yield node
            node = node.parent

    def ending(self) -> Iterator["Node"]:
        """The nodes that end with the last character before the cursor that is no white space."""
        end = len(self._before.rstrip())
        node = self._tree.root_node.descendant_for_byte_range(max(0, end - 1), end)
        while node is not None and node.end_byte <= len(self._before):
            yield node
            node = node.parent


class _Trees:
    """The trees of the last few texts, to parse the next version of one of them from."""

    def __init__(self) -> None:
        self._trees: list[tuple[Parser, bytes, Tree]] = []

    def tree(self, parser: "Parser", text: bytes) -> "Tree":
        """The tree of `text`, from that of the text most like it if it was seen lately."""
        known = [entry for entry in self._trees if entry[0] is parser]
        close = max(known, key=lambda entry: sum(_common(entry[1], text)), default=None)
        if close is not None and close[1] == text:
            return close[2]
        tree = _tree(parser, text, *(close[1:] if close else (b"", None)))
        kept = [entry for entry in self._trees if entry is not close]
        self._trees = [*kept, (parser, text, tree)][-_REMEMBERED:]
        return tree


_trees = _Trees()


def _tree(parser: "Parser", text: bytes, old: bytes, tree: "Tree | None") -> "Tree":
    """The tree of `text`; what it has in common with `old`, whose tree is given, is not read."""
    start, end = _common(old, text)
    if tree is None or start + end < len(text) // 2:
        with _parsing:
            return parser.parse(text)
    sizes = len(old) - end - start, len(text) - end - start
    return _changed(parser, tree, old, text, start, *sizes)


def _changed(
    parser: "Parser", tree: "Tree", old: bytes, text: bytes, at: int, gone: int, new: int
) -> "Tree":
    """The tree of `text`: `old`, whose tree is given, with `new` bytes for `gone` at `at`."""
    tree = tree.copy()
    ends = _point(old, at + gone), _point(text, at + new)
    tree.edit(at, at + gone, at + new, _point(text, at), *ends)
    with _parsing:
        return parser.parse(text, tree)


def _point(text: bytes, at: int) -> tuple[int, int]:
    """Row and column of an offset, both from 0, the column in bytes."""
    return text.count(b"\n", 0, at), at - text.rfind(b"\n", 0, at) - 1


def _common(one: bytes, other: bytes) -> tuple[int, int]:
    """How many bytes are equal in front, and how many of the others are equal at the end."""
    size = min(len(one), len(other))
    start = bisect_left(range(size), True, key=lambda n: one[: n + 1] != other[: n + 1])
    left = range(size - start)
    return start, bisect_left(left, True, key=lambda n: one[-n - 1 :] != other[-n - 1 :])


def _is_worth_parsing(cursor: Cursor) -> bool:
    if len(cursor.before) + len(cursor.after) > MAX_BYTES:
        return False
    return len(cursor.fragment) + len(cursor.after.partition(b"\n")[0]) <= MAX_LINE_BYTES


def _whole_lines(cursor: Cursor) -> bytes:
    """The text before the cursor; one whose beginning was cut off begins with a definition."""
    if cursor.line == cursor.before.count(b"\n"):
        return cursor.before
    found = _TOP_LEVEL.search(cursor.before)
    return cursor.before[found.end() :] if found else cursor.before


def count_errors(tree: "Tree") -> int:
    """How many places of a tree's text do not parse, as far as is counted."""
    return sum(1 for _ in _errors(tree.root_node))


def is_misindented(tree: "Tree", start: int, end: int) -> bool:
    """Whether, of Python, statements of one block between two offsets begin in different columns.

    Or whether a block has none. The grammar lets both pass, the language does not.
    """
    waiting = [tree.root_node]
    while waiting:
        node = waiting.pop()
        near = [child for child in node.children if child.end_byte >= start]
        if node.type in ("block", "module") and _has_odd_column(node, start, end):
            return True
        waiting += [child for child in near if child.start_byte <= end]
    return False


def _has_odd_column(block: "Node", start: int, end: int) -> bool:
    statements = [n for n in block.children if n.is_named and "comment" not in n.type]
    if not statements:
        return block.type == "block" and start <= block.start_byte <= end
    header = block.prev_sibling
    if header is not None and header.end_point[0] == statements[0].start_point[0]:
        return False  # on the line of its header
    columns = {statements[0].start_point[1]}
    for before, node in pairwise(statements):
        if start <= node.start_byte < end and node.start_point[0] > before.end_point[0]:
            columns.add(node.start_point[1])
    return len(columns) > 1


def _errors(root: "Node") -> "Iterator[Node]":
    """What had to be skipped to parse, and what had to be added; at most `_MAX_ERRORS` of them.

    Some of what was added is no node of its own, like a line's end: then its parent stands for it.
    """
    waiting, found = [root] if root.has_error else [], 0
    while waiting and found < _MAX_ERRORS:
        node = waiting.pop()
        below = [child for child in node.children if child.has_error or child.is_missing]
        if node.is_error or node.is_missing or not below:
            found += 1
            yield node
        waiting += below
