"""Faults that Ruby's grammar lets pass."""

from typing import TYPE_CHECKING

from midline.model.completion.faults.ancestors import ancestors, has, nearest, shown, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

QUERY = """
[(return) (yield)] @return
[(class) (module)] @class
(assignment left: [(constant) (scope_resolution)] @constant)
(operator_assignment left: [(constant) (scope_resolution)] @constant)
(left_assignment_list [(constant) (scope_resolution)] @constant)
[(break) (next) (redo)] @jump
(retry) @retry
[(method_parameters) (block_parameters) (lambda_parameters)] @parameters
(assignment left: [(self) (nil) (true) (false)]) @assigned
"""
QUERY_OF_SURROUNDINGS = """
(else) @else
"""
"""Kinds that depend on more than a node, what it holds and what it stands in."""
_METHODS = frozenset({"method", "singleton_method"})
_CLASSES = frozenset({"class", "module", "singleton_class"})
_BLOCKS = frozenset({"block", "do_block", "lambda"})
_LOOPS = frozenset({"for", "until", "until_modifier", "while", "while_modifier"})
_WITH_ELSE = frozenset({"body_statement", "begin", "block_body", "do_block"})


def is_fault(kind: str, node: "Node") -> bool:
    """Whether a node that the query found is a fault of its kind."""
    return _TESTS[kind](node)


def _is_in_class(node: "Node") -> bool:
    """Whether a `return` or `yield` is in the body of a class and in no method or block of it."""
    around = nearest(node, _METHODS | _CLASSES | _BLOCKS)
    if around is None:
        return node.type == "yield"
    return around.type in ("class", "module")


def _is_in_method(node: "Node") -> bool:
    """Whether a class or module, or a constant, is defined in a method."""
    around = nearest(node, _METHODS | _CLASSES)
    return around is not None and around.type in _METHODS


def _leads_nowhere(node: "Node") -> bool:
    """Whether a `break` or the like is in no loop or block."""
    for around in ancestors(node):
        if around.type in _METHODS | _CLASSES:
            return True
        if around.type in _LOOPS | _BLOCKS:
            return False
    return True


def _retries_nothing(node: "Node") -> bool:
    around = nearest(node, _METHODS | _CLASSES | {"rescue", "rescue_modifier"})
    return around is None or not around.type.startswith("rescue")


def _has_no_rescue(node: "Node") -> bool:
    """Whether an `else` belongs to a body that rescues nothing."""
    parent = node.parent
    return parent is not None and parent.type in _WITH_ELSE and not has(parent, "rescue")


def _repeats_names(parameters: "Node") -> bool:
    """Whether two parameters have one name, or one is a constant."""
    found = [each.child_by_field_name("name") or each for each in shown(parameters)]
    names = [text_of(each) for each in found if each.type == "identifier"]
    names = [name for name in names if not name.startswith("_")]
    return len(names) > len(set(names)) or any(each.type == "constant" for each in found)


_TESTS = {
    "assigned": lambda node: True,
    "class": _is_in_method,
    "constant": _is_in_method,
    "else": _has_no_rescue,
    "jump": _leads_nowhere,
    "parameters": _repeats_names,
    "retry": _retries_nothing,
    "return": _is_in_class,
}
