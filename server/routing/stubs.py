"""Functions whose body is still to be written."""

import re
from typing import TYPE_CHECKING

from midline.server.routing.definitions import Definition, is_function

if TYPE_CHECKING:
    from tree_sitter import Node

_STUB = re.compile(
    rb"(?:pass|\.\.\.|return;?"
    rb"|(?:raise|throw)\b[^\n]*(?:not\s?implemented|todo|unsupported|unimplemented)[^\n]*"
    rb"|(?:todo|unimplemented|panic|error|fatalError)!?\([^\n]*\);?)?",
    re.IGNORECASE,
)


def body_of(definition: Definition) -> "Node | None":
    """The body of a function; None where it has none, or is no function."""
    node = definition.node
    if not is_function(node):
        value = node.child_by_field_name("value")
        if value is None or not is_function(value):
            return None
        node = value
    return node.child_by_field_name("body")


def stub_of(definition: Definition) -> tuple[int, int] | None:
    """The bytes that a body has to take the place of, without docstring and comments in front.

    None for a function that has a body already.
    """
    body = body_of(definition)
    if body is None:
        return None
    data = definition.source.data
    start, end = body.start_byte, body.end_byte
    if data[start : start + 1] == b"{":
        start, end = start + 1, end - data[:end].endswith(b"}")
    for child in body.named_children:
        if "comment" in child.type or _is_docstring(child, body):
            start = child.end_byte
    return (start, end) if is_stub(data[start:end]) else None


def is_stub(text: bytes) -> bool:
    """Whether a text stands for a body that is still to be written."""
    return _STUB.fullmatch(text.strip()) is not None


def _is_docstring(node: "Node", body: "Node") -> bool:
    if node.type != "expression_statement" or not node.named_children:
        return False
    return node == body.named_children[0] and node.named_children[0].type == "string"
