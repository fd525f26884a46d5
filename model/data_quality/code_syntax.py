"""Signals of source code that need its syntax tree (tree-sitter).

Rules of the kind are OpenCoder's (arXiv 2411.04905, appendix A), there for Python by its own parser
and here for every language with a grammar. A score is None where there is no grammar for the file's
name, or where the file is larger than `MAX_BYTES`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING

from midline.model.completion.syntax import MAX_BYTES, MAX_LINE_BYTES, language_of, parser
from midline.model.data_quality.node_types import CALLS, FUNCTIONS, IMPORTS, VARIABLES
from midline.model.data_quality.views import Spans, Views

if TYPE_CHECKING:
    from tree_sitter import Node

LONG_STRING = 200
"""Bytes from which a string makes its line one with a long string."""
_PRINTS = (
    "print", "println", "printf", "puts", "echo", "console.log", "console.error",
    "System.out.print", "System.err.print", "Console.Write", "fmt.Print", "println!", "print!",
    "eprintln!", "std::printf", "fprintf", "p ", "say",
)  # fmt: skip
_ASSERTS = ("assert", "self.assert", "Assert.", "expect(", "EXPECT_", "ASSERT_", "assert!")


@dataclass
class Syntax:
    """Bytes of comments, strings and errors, and the lines with certain constructs."""

    total: int
    lines: int
    bytes: Counter[str] = field(default_factory=Counter)
    rows: dict[str, set[int]] = field(default_factory=dict)

    def mark(self, kind: str, node: "Node") -> None:
        """Counts the bytes of `node` and the row where it begins."""
        self.bytes[kind] += node.end_byte - node.start_byte
        self.rows.setdefault(kind, set()).add(node.start_point[0])


def comment_share(views: Views) -> Spans:
    """Bytes of comments and docstrings over bytes: 0 to 1 (OpenCoder: at most 0.8)."""
    return _bytes_share(views, "comment")


def string_share(views: Views) -> Spans:
    """Bytes of string literals over bytes: 0 to 1 (OpenCoder: at most 0.6)."""
    return _bytes_share(views, "string")


def parse_failure_share(views: Views) -> Spans:
    """Bytes that do not parse over bytes: 0 to 1; 0 for a file that parses."""
    return _bytes_share(views, "error")


def parse_failure(views: Views) -> Spans:
    """1 if the grammar rejects the file, else 0."""
    found = _syntax(views)
    return views.document(None if found is None else float("error" in found.rows))


def long_string_line_share(views: Views) -> Spans:
    """Lines where a string of 200 bytes and more begins, over lines (OpenCoder: at most 0.2)."""
    return _lines_share(views, "long string")


def import_line_share(views: Views) -> Spans:
    """Lines where an import begins, over lines (OpenCoder: at most 0.3)."""
    return _lines_share(views, "import")


def assert_line_share(views: Views) -> Spans:
    """Lines where an assertion begins, over lines (OpenCoder: at most 0.4)."""
    return _lines_share(views, "assert")


def print_line_share(views: Views) -> Spans:
    """Lines where a call begins that writes to the console, over lines (OpenCoder: at most 0.4)."""
    return _lines_share(views, "print")


def function_line_share(views: Views) -> Spans:
    """Lines where a function begins, over lines (OpenCoder: at most 0.2)."""
    return _lines_share(views, "function")


def pass_line_share(views: Views) -> Spans:
    """Lines where an empty statement (`pass`) stands, over lines (OpenCoder: at most 0.05)."""
    return _lines_share(views, "pass")


def variable_lines(views: Views) -> Spans:
    """Lines where a variable gets a value (OpenCoder: at least 1)."""
    found = _syntax(views)
    return views.document(None if found is None else float(len(found.rows.get("variable", ()))))


SIGNALS: dict[str, Callable[[Views], Spans]] = {
    "code_comment_share": comment_share,
    "code_string_share": string_share,
    "code_parse_failure_share": parse_failure_share,
    "code_parse_failure": parse_failure,
    "code_long_string_line_share": long_string_line_share,
    "code_import_line_share": import_line_share,
    "code_assert_line_share": assert_line_share,
    "code_print_line_share": print_line_share,
    "code_function_line_share": function_line_share,
    "code_pass_line_share": pass_line_share,
    "code_variable_lines": variable_lines,
}


def _bytes_share(views: Views, kind: str) -> Spans:
    found = _syntax(views)
    return views.document(None if found is None else found.bytes[kind] / max(found.total, 1))


def _lines_share(views: Views, kind: str) -> Spans:
    found = _syntax(views)
    if found is None:
        return views.document(None)
    return views.document(len(found.rows.get(kind, ())) / max(found.lines, 1))


def _syntax(views: Views) -> Syntax | None:
    return syntax_of(views.text, views.name)


@lru_cache(maxsize=1)
def syntax_of(text: str, name: str) -> Syntax | None:
    """What of a file's syntax the signals count; None without a grammar or for a huge file."""
    language = language_of(name)
    found = None if language is None else parser(language)
    data = text.encode("utf-8", "replace")
    if found is None or found.language is None or len(data) > MAX_BYTES or _is_wide(data):
        return None
    from tree_sitter import Parser

    root = Parser(found.language).parse(data).root_node
    syntax = Syntax(len(data), data.count(b"\n") + (not data.endswith(b"\n")))
    for node in _nodes(root, syntax):
        _classify(node, syntax)
    return syntax


def _is_wide(data: bytes) -> bool:
    return max(map(len, data.split(b"\n"))) > MAX_LINE_BYTES


def _nodes(root: "Node", syntax: Syntax) -> Iterator["Node"]:
    """The named nodes in order, without those inside of comments, strings and errors."""
    todo = [root]
    while todo:
        node = todo.pop()
        if node.is_missing or node.is_error:
            syntax.mark("error", node)
        elif node.is_named:
            yield node
        if not _is_leaf(node):
            todo += reversed(node.children)


def _is_leaf(node: "Node") -> bool:
    return "comment" in node.type or _is_string(node) or node.is_error


def _is_string(node: "Node") -> bool:
    kind: str = node.type
    return node.is_named and ("string" in kind or kind in {"heredoc_body", "char_literal"})


def _is_docstring(node: "Node") -> bool:
    """A string that is a statement of its own, as Python has its documentation."""
    parent = node.parent
    return (
        _is_string(node)
        and parent is not None
        and parent.type == "expression_statement"
        and parent.named_child_count == 1
    )


def _classify(node: "Node", syntax: Syntax) -> None:
    kind = node.type
    if "comment" in kind or _is_docstring(node):
        syntax.mark("comment", node)
    elif _is_string(node):
        syntax.mark("string", node)
        if node.end_byte - node.start_byte >= LONG_STRING:
            syntax.mark("long string", node)
    elif kind in IMPORTS:
        syntax.mark("import", node)
    elif kind in FUNCTIONS:
        syntax.mark("function", node)
    elif kind in VARIABLES:
        syntax.mark("variable", node)
    elif kind == "pass_statement":
        syntax.mark("pass", node)
    elif kind == "assert_statement":
        syntax.mark("assert", node)
    elif kind in CALLS:
        _classify_call(node, syntax)


def _classify_call(node: "Node", syntax: Syntax) -> None:
    start = (node.text or b"")[:40].decode("utf-8", "replace")
    if start.startswith(_PRINTS):
        syntax.mark("print", node)
    elif start.startswith(_ASSERTS):
        syntax.mark("assert", node)
