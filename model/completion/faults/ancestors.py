"""What a node stands in."""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node


def ancestors(node: "Node") -> Iterator["Node"]:
    """The nodes around a node, innermost first."""
    parent = node.parent
    while parent is not None:
        yield parent
        parent = parent.parent


def nearest(node: "Node", types: Collection[str]) -> "Node | None":
    """The innermost node of one of `types` around a node."""
    return next((each for each in ancestors(node) if each.type in types), None)


def shown(node: "Node") -> "list[Node]":
    """The named children of a node that are no comments."""
    return [child for child in node.named_children if "comment" not in child.type]


def text_of(node: "Node | None") -> str:
    """The text of a node, "" for none."""
    return (node.text or b"").decode("utf-8", "replace") if node is not None else ""


def has(node: "Node", type: str) -> bool:
    """Whether a node has a child of a type, a keyword for instance."""
    return any(child.type == type for child in node.children)
