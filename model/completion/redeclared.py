"""JavaScript's bindings: names that `let`, `const`, `class` or `import` declare twice in a block.

The grammar lets that pass, and the language refuses the file.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tree_sitter import Node

_SCOPES = frozenset({"program", "statement_block"})
_NAMES = frozenset({"identifier", "shorthand_property_identifier_pattern"})
_ONCE = frozenset({"lexical_declaration", "class_declaration", "import_statement"})
_AGAIN = frozenset({"function_declaration", "variable_declaration"})
"""Declarations that may stand beside each other, but not beside one of `_ONCE`."""


def is_redeclared(nodes: "list[Node]", start: int, end: int) -> bool:
    """Whether a block among `nodes` declares a name twice, once at least between two offsets."""
    return any(node.type in _SCOPES and _has_twice(node, start, end) for node in nodes)


def _has_twice(scope: "Node", start: int, end: int) -> bool:
    """Whether a declaration between two offsets, or with one there, repeats another's name."""
    seen: dict[bytes, tuple[bool, bool]] = {}
    for name, is_once, at in _declared(scope):
        is_new = start <= at < end
        was_once, was_new = seen.get(name, (False, False))
        if name in seen and (is_once or was_once) and (is_new or was_new):
            return True
        seen[name] = is_once or was_once, is_new or was_new
    return False


def _declared(scope: "Node") -> Iterator[tuple[bytes, bool, int]]:
    """The names of a block, whether each may be declared but once, and where; a function's
    parameters belong to its block.
    """
    parameters = scope.parent and scope.parent.child_by_field_name("parameters")
    if parameters is not None:
        yield from ((name, False, at) for name, at in _names(parameters))
    for child in scope.named_children:
        statement = child.child_by_field_name("declaration") or child
        if statement.type in _ONCE or statement.type in _AGAIN:
            once = statement.type in _ONCE
            yield from ((name, once, at) for name, at in _names_of(statement))


def _names_of(statement: "Node") -> Iterator[tuple[bytes, int]]:
    if statement.type == "import_statement":
        yield from _imported(statement)
        return
    declarators = [n for n in statement.named_children if n.type == "variable_declarator"]
    for declarator in declarators or [statement]:
        pattern = declarator.child_by_field_name("name")
        if pattern is not None:
            yield from _names(pattern)


def _names(pattern: "Node") -> Iterator[tuple[bytes, int]]:
    """The names that a pattern binds: not those of properties, types and default values."""
    if pattern.type in _NAMES:
        yield pattern.text or b"", pattern.start_byte
        return
    left_out = {pattern.child_by_field_name(field) for field in ("key", "right", "type")}
    if pattern.type in ("required_parameter", "optional_parameter"):
        left_out.add(pattern.child_by_field_name("value"))
    for child in pattern.named_children:
        if child not in left_out:
            yield from _names(child)


def _imported(statement: "Node") -> Iterator[tuple[bytes, int]]:
    waiting = [child for child in statement.named_children if child.type == "import_clause"]
    while waiting:
        node = waiting.pop()
        if node.type == "identifier":
            yield node.text or b"", node.start_byte
        alias = node.child_by_field_name("alias")
        waiting += [alias] if alias is not None else node.named_children
