"""Faults that Go's grammar lets pass: what its parser and scanner refuse."""

import re
from itertools import takewhile
from typing import TYPE_CHECKING

from midline.model.completion.faults.ancestors import ancestors, nearest, shown, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

QUERY = """
(import_spec path: (_) @path)
(short_var_declaration left: (expression_list) @declared)
(range_clause left: (expression_list) @declared ":=")
(parameter_list) @parameters
(method_declaration receiver: (parameter_list) @receiver)
[(defer_statement) (go_statement)] @deferred
(const_declaration) @constant
(composite_literal) @composite
(escape_sequence) @escape
(rune_literal) @escape
(break_statement) @break
(continue_statement) @continue
"""
QUERY_OF_SURROUNDINGS = """
(source_file) @file
(import_declaration) @import
"""
"""Kinds that depend on more than a node, what it holds and what it stands in."""
_DECLARATIONS = frozenset(
    {
        *("comment", "const_declaration", "function_declaration", "import_declaration"),
        *("method_declaration", "package_clause", "type_declaration", "var_declaration"),
    }
)
_FUNCTIONS = frozenset({"func_literal", "function_declaration", "method_declaration"})
_SWITCHES = frozenset({"expression_switch_statement", "select_statement", "type_switch_statement"})
_ESCAPE = re.compile(r"\\(?:[abfnrtv\\]|[0-7]{3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8})")

_PATH = re.compile(r"""[^\s\x00-\x1f!"#$%&'()*,:;<=>?\[\\\]^`{|}\ufffd]+""")


def is_fault(kind: str, node: "Node") -> bool:
    """Whether a node that the query found is a fault of its kind."""
    return _TESTS[kind](node)


def _holds_statements(file: "Node") -> bool:
    """Whether a file has statements outside of functions."""
    return any(child.type not in _DECLARATIONS for child in file.named_children)


def _is_late(node: "Node") -> bool:
    """Whether an import follows other declarations."""
    parent = node.parent
    if parent is None or parent.type != "source_file":
        return True
    before = takewhile(lambda child: child.start_byte < node.start_byte, shown(parent))
    return any(child.type not in ("import_declaration", "package_clause") for child in before)


def _is_no_path(path: "Node") -> bool:
    return not _PATH.fullmatch(text_of(path)[1:-1])


def _declares_no_name(names: "Node") -> bool:
    return any(child.type != "identifier" for child in shown(names))


def _mixes_names(parameters: "Node") -> bool:
    """Whether some of several parameters have names, or one that is not the last is variadic."""
    found = shown(parameters)
    if any(each.type == "variadic_parameter_declaration" for each in found[:-1]):
        return True
    named = [each.child_by_field_name("name") is not None for each in found]
    return any(named) and not all(named)


def _has_several(receiver: "Node") -> bool:
    return len(shown(receiver)) != 1


def _calls_nothing(node: "Node") -> bool:
    found = shown(node)
    return not found or found[0].type not in ("call_expression", "type_conversion_expression")


def _is_apart(literal: "Node") -> bool:
    """Whether a type and its value are in two lines, where the first one ends a statement."""
    type, body = (literal.child_by_field_name(name) for name in ("type", "body"))
    return type is not None and body is not None and type.end_point[0] < body.start_point[0]


def _lacks_value(declaration: "Node") -> bool:
    """Whether the first constant of a declaration has no value, or one with a type has none."""
    specs = [child for child in shown(declaration) if child.type == "const_spec"]
    return any(
        spec.child_by_field_name("value") is None
        and (number == 0 or spec.child_by_field_name("type") is not None)
        for number, spec in enumerate(specs)
    )


def _is_no_escape(node: "Node") -> bool:
    text = text_of(node)
    if node.type == "rune_literal":
        inner = text[1:-1]
        return inner.startswith("\\") and inner != "\\'" and not _ESCAPE.fullmatch(inner)
    return text != '\\"' and not _ESCAPE.fullmatch(text)


def _leads_nowhere(node: "Node") -> bool:
    """Whether a `break` or `continue` has no statement around it that it is meant for."""
    targets = {"for_statement"} | (_SWITCHES if node.type == "break_statement" else set())
    label = next((text_of(child) for child in shown(node)), "")
    for around in ancestors(node):
        if around.type in _FUNCTIONS:
            return True
        if not label and around.type in targets:
            return False
        is_labeled = around.type == "labeled_statement" and label
        if is_labeled and text_of(around.child_by_field_name("label")) == label:
            return False
    return nearest(node, _FUNCTIONS) is None


_TESTS = {
    "break": _leads_nowhere,
    "composite": _is_apart,
    "constant": _lacks_value,
    "continue": _leads_nowhere,
    "declared": _declares_no_name,
    "deferred": _calls_nothing,
    "escape": _is_no_escape,
    "file": _holds_statements,
    "import": _is_late,
    "parameters": _mixes_names,
    "path": _is_no_path,
    "receiver": _has_several,
}
