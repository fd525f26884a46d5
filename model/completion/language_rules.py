"""What grammars let pass and languages do not, looked for where a completion has been inserted."""

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from midline.model.completion.redeclared import is_redeclared

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

_TEXTS = ("comment", "string", "char_literal", "heredoc")
_WITH_CONST = {"javascript", "tsx", "typescript"}
_LOOPS = {"for_in_statement", "for_statement"}
_CODE_IN_TEXT = ("interpolation", "substitution", "embedded")
_CONCATENATED = frozenset({"chained_string", "concatenated_string"})
_BODIES = ("body", "consequence")
_HEADERS = frozenset(
    {"do_statement", "else_clause", "for_in_statement", "for_statement", "if_statement"}
    | {"while_statement"}
)
_DECLARATIONS = frozenset({"class_declaration", "lexical_declaration"})
_CLOSED_IN_LINES = frozenset({"argument_list", "literal_value", "parameter_list"})


def breaks_a_rule(tree: "Tree", language: str, start: int, end: int, line_end: int) -> bool:
    """Whether what stands between two offsets, in bytes, of the text of `tree` cannot stay there.

    A string or comment that begins in it goes on behind the line's end, `line_end`, and swallows
    what had a meaning of its own, or a header without a body does so with the statement below it;
    or a rule of the language is broken that its grammar does not know.
    """
    if _swallows(tree, start, end, line_end):
        return True
    nodes = list(_between(tree.root_node, start, end))
    if any(_takes_the_next(node, start, end) for node in nodes):
        return True
    if language in _WITH_CONST:
        found = any(_lacks_value(node) or _lacks_handler(node) for node in nodes)
        return found or is_redeclared(nodes, start, end)
    return language == "go" and any(_breaks_go(node, start, end) for node in nodes)


def _swallows(tree: "Tree", start: int, end: int, line_end: int) -> bool:
    node, outermost = tree.root_node.descendant_for_byte_range(end, end), None
    while node is not None and not node.type.endswith(_CODE_IN_TEXT):
        if any(text in node.type for text in _TEXTS) and node.type not in _CONCATENATED:
            outermost = node
        node = node.parent
    if outermost is None or not start <= outermost.start_byte < end:
        return False
    if _ends_below(outermost):
        return False  # the word that ends it is there
    return outermost.end_byte > line_end + 1  # comments may take the line's end along


def _ends_below(text: "Node") -> bool:
    """Whether a here-document has its last word."""
    return any(child.type == "heredoc_end" and not child.is_missing for child in text.children)


def _lacks_value(node: "Node") -> bool:
    if node.type != "lexical_declaration" or node.children[0].type != "const":
        return False
    parent = node.parent
    if parent is not None and (parent.type in _LOOPS or parent.type == "ambient_declaration"):
        return False
    declared = [child for child in node.named_children if child.type == "variable_declarator"]
    # One with a type may be a declaration of what is defined elsewhere.
    needed = [child for child in declared if child.child_by_field_name("type") is None]
    return any(child.child_by_field_name("value") is None for child in needed)


def _lacks_handler(node: "Node") -> bool:
    """Whether a `try` has neither `catch` nor `finally`, or a declaration is a body."""
    if node.type == "try_statement":
        return all(node.child_by_field_name(name) is None for name in ("handler", "finalizer"))
    bodies = [node.child_by_field_name(name) for name in _BODIES] if node.type in _HEADERS else []
    return any(body is not None and body.type in _DECLARATIONS for body in bodies)


def _takes_the_next(node: "Node", start: int, end: int) -> bool:
    """Whether a header between two offsets has for its body a statement behind them that is not
    indented below it.
    """
    if node.type not in _HEADERS or not start <= node.start_byte < end:
        return False
    bodies = [node.child_by_field_name(name) for name in _BODIES]
    return any(
        body is not None
        and body.start_byte >= end
        and body.start_point[0] > node.start_point[0]
        and body.start_point[1] <= _column(node)
        and not body.type.endswith(("block", "compound_statement", "do_group"))
        for body in bodies
    )


def _column(node: "Node") -> int:
    """The column in which a statement's line begins, as far as its parents tell."""
    column, row = node.start_point[1], node.start_point[0]
    parent = node.parent
    while parent is not None and parent.start_point[0] == row:
        column, parent = min(column, parent.start_point[1]), parent.parent
    return column


def _breaks_go(node: "Node", start: int, end: int) -> bool:
    """Whether Go has a second package clause, or a list in lines without its last comma."""
    if node.type == "source_file":
        clauses = [child for child in node.children if child.type == "package_clause"]
        return len(clauses) > 1 and any(start <= one.start_byte < end for one in clauses)
    if node.type not in _CLOSED_IN_LINES or node.end_byte < start:
        return False
    shown = [child for child in node.children if child.type != "comment"]
    return len(shown) > 2 and any(
        after.type in (")", "}")
        and before.end_point[0] < after.start_point[0]
        and before.type not in (",", "(", "{")
        for before, after in list(pairwise(shown))[-1:]
    )


def _between(node: "Node", start: int, end: int) -> Iterator["Node"]:
    """The nodes that begin between two offsets, and those around them that began earlier."""
    yield node
    for child in node.children:
        if child.end_byte >= start and child.start_byte < end:
            yield from _between(child, start, end)
