"""Removal of comments and documentation strings from a program."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from midline.model.strategies.function_end import parser

if TYPE_CHECKING:
    from tree_sitter import Node


def uncommented(text: str, language: str) -> str:
    """`text` without its comments, and without strings that stand as statements of their own.

    The quotes of such a string stay, so that what follows it is indented as it is.
    """
    data = text.encode()
    for node in sorted(_remarks(parser(language).parse(data).root_node), key=_start, reverse=True):
        left = b'""' if node.type == "expression_statement" else b""
        data = data[: node.start_byte] + left + data[node.end_byte :]
    return data.decode()


def _start(node: "Node") -> int:
    return node.start_byte


def _remarks(root: "Node") -> Iterator["Node"]:
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if "comment" in node.type or _is_lone_string(node):
            yield node
        else:
            waiting += node.children


def _is_lone_string(node: "Node") -> bool:
    return node.type == "expression_statement" and [c.type for c in node.children] == ["string"]
