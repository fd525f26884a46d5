"""Faults that bash's grammar lets pass: groups and branches without a command."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

QUERY = """
[
  (compound_statement) (do_group) (elif_clause) (else_clause) (if_statement) (subshell)
] @empty
"""
_BEGIN = frozenset({"do", "else", "then", "{", "("})
_END = frozenset({"done", "elif_clause", "else_clause", "fi", "}", ")"})


def is_fault(kind: str, node: "Node") -> bool:
    """Whether a node that the query found is a fault of its kind."""
    return any(not any(map(_is_command, group)) for group in _groups(node))


def _groups(node: "Node") -> "Iterator[list[Node]]":
    """What stands in each pair of words or braces that has to have a command in it."""
    group: list[Node] | None = None
    for child in node.children:
        if group is not None and child.type in _END:
            yield group
            group = None
        elif child.type in _BEGIN and group is None:
            group = []
        elif group is not None:
            group.append(child)
    if group is not None and node.type in ("elif_clause", "else_clause"):
        yield group


def _is_command(node: "Node") -> bool:
    return node.is_named and "comment" not in node.type
