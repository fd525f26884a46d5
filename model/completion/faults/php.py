"""Faults that PHP's grammar lets pass: what `php -l` refuses in a file by itself."""

import re
from collections import Counter
from typing import TYPE_CHECKING

from midline.model.completion.faults.ancestors import ancestors, has, nearest, shown, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

QUERY = """
[(break_statement) (continue_statement)] @break
(formal_parameters) @parameters
(declaration_list) @members
[(program) (namespace_definition) (compound_statement)] @functions
(assignment_expression left: (variable_name) @assigned)
(switch_block) @switch
(yield_expression) @yield
[(class_declaration) (namespace_use_declaration) (const_declaration)] @inner
[(program) (namespace_definition) (compound_statement)] @imports
[
  (const_element (_) (_) @constant) (property_element default_value: (_) @constant)
  (simple_parameter default_value: (_) @constant)
]
"""
QUERY_OF_SURROUNDINGS = """
(method_declaration) @method
(return_statement) @return
(namespace_definition) @namespace
"""
"""Kinds that depend on more than a node, what it holds and what it stands in."""
_SEPARATORS = re.compile(r"[\\\s]+")
_OF_FUNCTIONS = re.compile(r"use\s+(function|const)\b")
_FUNCTIONS = frozenset(
    {"anonymous_function", "arrow_function", "function_definition", "method_declaration"}
)
_TARGETS = frozenset(
    {"do_statement", "for_statement", "foreach_statement", "switch_statement", "while_statement"}
)
_CLASSES = frozenset({"class_declaration", "anonymous_class", "enum_declaration"})
_COMPUTED = frozenset(
    {
        *("function_call_expression", "member_call_expression", "scoped_call_expression"),
        *("variable_name", "assignment_expression", "member_access_expression"),
    }
)


def is_fault(kind: str, node: "Node") -> bool:
    """Whether a node that the query found is a fault of its kind."""
    return _TESTS[kind](node)


def _leads_nowhere(node: "Node") -> bool:
    """Whether a `break` or `continue` leaves more loops than there are around it."""
    count = next((text_of(child) for child in shown(node)), "1")
    left = int(count) if count.isdecimal() else 1
    for around in ancestors(node):
        if around.type in _FUNCTIONS:
            break
        left -= around.type in _TARGETS
    return left > 0


def _repeats_names(parameters: "Node") -> bool:
    names = [text_of(each.child_by_field_name("name")) for each in shown(parameters)]
    return len(names) > len(set(names)) or "$this" in names


def _repeats_members(body: "Node") -> bool:
    """Whether a class has two methods or two properties of one name."""
    methods = [child for child in body.named_children if child.type == "method_declaration"]
    names = [text_of(method.child_by_field_name("name")).lower() for method in methods]
    for child in body.named_children:
        if child.type == "property_declaration":
            elements = [each for each in child.named_children if each.type == "property_element"]
            names += [text_of(each.child_by_field_name("name")) for each in elements]
    return len(names) > len(set(names))


def _repeats_functions(scope: "Node") -> bool:
    """Whether two functions or classes of one block have one name, outside of functions."""
    if scope.type == "compound_statement":
        parent = scope.parent
        if parent is None or parent.type != "namespace_definition":
            return False
    found: Counter[tuple[bool, str]] = Counter()
    for child in scope.named_children:
        if child.type in ("function_definition", "class_declaration", "interface_declaration"):
            is_function = child.type == "function_definition"
            found[is_function, text_of(child.child_by_field_name("name")).lower()] += 1
    return any(count > 1 for count in found.values())


def _is_this(variable: "Node") -> bool:
    return text_of(variable) == "$this"


def _has_two_defaults(body: "Node") -> bool:
    return sum(child.type == "default_statement" for child in body.children) > 1


def _has_wrong_body(method: "Node") -> bool:
    """Whether a method has no body and is not abstract, or is abstract and has one."""
    around = nearest(method, _CLASSES | {"interface_declaration", "trait_declaration"})
    has_body = method.child_by_field_name("body") is not None
    is_abstract = has(method, "abstract_modifier")
    if around is not None and around.type == "interface_declaration":
        return has_body
    if is_abstract and around is not None and around.type == "class_declaration":
        return has_body or not has(around, "abstract_modifier")
    return has_body == is_abstract


def _returns_too_much(node: "Node") -> bool:
    """Whether a function of type `void` or `never` returns a value."""
    function = nearest(node, _FUNCTIONS)
    type = function.child_by_field_name("return_type") if function is not None else None
    named = text_of(type).lstrip(": ").lower()
    return (named == "void" and bool(shown(node))) or named == "never"


def _yields_nowhere(node: "Node") -> bool:
    return nearest(node, _FUNCTIONS) is None


def _is_late(node: "Node") -> bool:
    """Whether a namespace is declared behind other statements, or in a block."""
    parent = node.parent
    if parent is None or parent.type != "program":
        return True
    first = next((each for each in shown(parent) if each.type not in _BEFORE_NAMESPACES), None)
    return first is not None and first.start_byte < node.start_byte


def _is_inner(node: "Node") -> bool:
    """Whether a class is declared in a class, or an import or a constant in a block."""
    if node.type == "class_declaration":
        return nearest(node, _CLASSES | {"trait_declaration"}) is not None
    parent = node.parent
    if parent is None or parent.type == "program":
        return False
    if node.type == "const_declaration" and parent.type.endswith("declaration_list"):
        return False
    return parent.parent is None or parent.parent.type != "namespace_definition"


def _repeats_imports(scope: "Node") -> bool:
    """Whether a name is imported twice."""
    uses = [child for child in scope.named_children if child.type == "namespace_use_declaration"]
    clauses = [
        clause
        for use in uses
        for clause in use.named_children
        if clause.type == "namespace_use_clause" and not _OF_FUNCTIONS.match(text_of(use))
    ]
    names = [_SEPARATORS.split(text_of(clause))[-1].lower() for clause in clauses]
    return len(names) > len(set(names))


def _is_computed(value: "Node") -> bool:
    """Whether a value that has to be constant is not."""
    return value.type in _COMPUTED and value.type != "name"


_BEFORE_NAMESPACES = frozenset({"php_tag", "declare_statement", "namespace_definition"})
_TESTS = {
    "assigned": _is_this,
    "break": _leads_nowhere,
    "constant": _is_computed,
    "functions": _repeats_functions,
    "imports": _repeats_imports,
    "inner": _is_inner,
    "members": _repeats_members,
    "method": _has_wrong_body,
    "namespace": _is_late,
    "parameters": _repeats_names,
    "return": _returns_too_much,
    "switch": _has_two_defaults,
    "yield": _yields_nowhere,
}
