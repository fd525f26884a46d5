"""Faults that Lua's grammar lets pass."""

from typing import TYPE_CHECKING

from midline.model.completion.faults.ancestors import ancestors, has, nearest

if TYPE_CHECKING:
    from tree_sitter import Node

QUERY = """
(break_statement) @break
"""
QUERY_OF_SURROUNDINGS = """
(vararg_expression) @variadic
(return_statement) @return
"""
"""Kinds that depend on more than a node, what it holds and what it stands in."""
_FUNCTIONS = frozenset({"function_declaration", "function_definition"})
_LOOPS = frozenset({"for_statement", "repeat_statement", "while_statement"})


def is_fault(kind: str, node: "Node") -> bool:
    """Whether a node that the query found is a fault of its kind."""
    return _TESTS[kind](node)


def _leads_nowhere(node: "Node") -> bool:
    """Whether a `break` is in no loop."""
    for around in ancestors(node):
        if around.type in _LOOPS:
            return False
        if around.type in _FUNCTIONS:
            return True
    return True


def _has_no_others(node: "Node") -> bool:
    """Whether `...` is in a function without further arguments."""
    parent = node.parent
    if parent is not None and parent.type == "parameters":
        return False
    function = nearest(node, _FUNCTIONS)
    parameters = function.child_by_field_name("parameters") if function is not None else None
    return parameters is not None and not has(parameters, "vararg_expression")


def _is_not_last(node: "Node") -> bool:
    """Whether something follows a `return` in its block."""
    after = node.next_named_sibling
    while after is not None and (after.type == "comment" or after.type in _ENDS):
        after = after.next_named_sibling if after.type == "comment" else None
    return after is not None


_ENDS = frozenset({"else_statement", "elseif_statement", "empty_statement"})
_TESTS = {"break": _leads_nowhere, "return": _is_not_last, "variadic": _has_no_others}
