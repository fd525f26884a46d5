"""What grammars let pass and languages do not, looked for where a completion has been inserted."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node, Tree

_TEXTS = ("comment", "string", "char_literal", "heredoc")
_WITH_CONST = {"javascript", "tsx", "typescript"}
_LOOPS = {"for_in_statement", "for_statement"}


def breaks_a_rule(tree: "Tree", language: str, start: int, end: int, line_end: int) -> bool:
    """Whether what stands between two offsets, in bytes, of the text of `tree` cannot stay there.

    A string or comment that begins in it goes on behind the line's end, `line_end`, and swallows
    what had a meaning of its own; or a JavaScript constant has no value.
    """
    if _swallows(tree, start, end, line_end):
        return True
    return language in _WITH_CONST and any(map(_lacks_value, _between(tree.root_node, start, end)))


def _swallows(tree: "Tree", start: int, end: int, line_end: int) -> bool:
    node = tree.root_node.descendant_for_byte_range(end, end)
    while node is not None:
        is_new = start <= node.start_byte < end and any(text in node.type for text in _TEXTS)
        if is_new and node.end_byte > line_end + 1:  # comments may take the line's end along
            return True
        node = node.parent
    return False


def _lacks_value(node: "Node") -> bool:
    if node.type != "lexical_declaration" or node.children[0].type != "const":
        return False
    parent = node.parent
    if parent is not None and (parent.type in _LOOPS or parent.type == "ambient_declaration"):
        return False
    declared = [child for child in node.named_children if child.type == "variable_declarator"]
    return any(child.child_by_field_name("value") is None for child in declared)


def _between(node: "Node", start: int, end: int) -> Iterator["Node"]:
    """The nodes that begin between two offsets, and those around them that began earlier."""
    yield node
    for child in node.children:
        if child.end_byte >= start and child.start_byte < end:
            yield from _between(child, start, end)
