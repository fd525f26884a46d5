"""Faults that the grammars of JavaScript and TypeScript let pass: early errors of ECMA-262."""

import re
from typing import TYPE_CHECKING

from midline.model.completion.faults.ancestors import ancestors, has, nearest, shown, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

QUERY = """
(break_statement) @break
(continue_statement) @continue
(class_body) @class
(private_property_identifier) @private
(switch_body) @switch
(binary_expression operator: ["??" "||" "&&"]) @mixed
(binary_expression left: (unary_expression) operator: "**") @power
(rest_pattern) @rest
(method_definition ["get" "set"]) @accessor
(regex) @regex
(expression_statement) @statement
(binary_expression
  [(arrow_function) (assignment_expression) (augmented_assignment_expression) (yield_expression)]
) @operand
(variable_declarator name: [(array_pattern) (object_pattern)] @pattern !value)
(formal_parameters) @parameters
(arguments ["," "("] . ",") @arguments
(shorthand_property_identifier) @shorthand
(assignment_expression left: (_) @assigned)
(augmented_assignment_expression left: (_) @assigned)
(update_expression argument: (_) @assigned)
"""
QUERY_OF_SURROUNDINGS = """
[(await_expression) (for_in_statement "await")] @await
(yield_expression) @yield
(return_statement) @return
(super) @super
[(import_statement) (export_statement)] @module
"""
"""Kinds that depend on more than a node, what it holds and what it stands in."""
_FIELDS = frozenset({"field_definition", "public_field_definition", "class_static_block"})
_FUNCTIONS = _FIELDS | {
    *("arrow_function", "function_declaration", "function_expression", "generator_function"),
    *("generator_function_declaration", "method_definition"),
}
_OF_MEMBERS = frozenset({"member_expression", "subscript_expression"})
_RESERVED = frozenset(
    {
        *("break", "case", "catch", "class", "const", "continue", "debugger", "default", "delete"),
        *("do", "else", "enum", "export", "extends", "false", "finally", "for", "function", "if"),
        *("import", "in", "instanceof", "new", "null", "return", "super", "switch", "this"),
        *("throw", "true", "try", "typeof", "var", "void", "while", "with"),
    }
)
_OTHERS = frozenset(
    {"class", "function_expression", "generator_function", "object", "object_pattern"}
)
"""Expressions with which no statement begins."""
_LOOPS = frozenset({"do_statement", "for_in_statement", "for_statement", "while_statement"})
_MODULE = frozenset({"export_statement", "import_statement"})
_REQUIRED = re.compile(r"require\s*\(|(module\s*\.\s*)?exports\b")
_PIECES = re.compile(
    r"\\.|\[(?:\\.|[^\]\\])*\]|(\()(?:\?(?:[:=!]|<[=!]|<[A-Za-z_$][\w$]*>))?|(\))|(\|)|([*+?])",
    re.DOTALL,
)
"""Escapes, classes, the beginnings and ends of groups, alternatives and repetitions."""


def is_fault(kind: str, node: "Node") -> bool:
    """Whether a node that the query found is a fault of its kind."""
    return _TESTS[kind](node)


def _awaits_nothing(node: "Node") -> bool:
    function = nearest(node, _FUNCTIONS)
    if function is None:
        return not _is_module(node)
    return not has(function, "async")


def _yields_nothing(node: "Node") -> bool:
    function = nearest(node, _FUNCTIONS)
    if function is None or "generator" not in function.type:
        return function is None or not has(function, "*")
    return False


def _leads_nowhere(node: "Node") -> bool:
    """Whether a `break` or `continue` has no statement around it that it is meant for."""
    label, targets = node.child_by_field_name("label"), set(_LOOPS)
    if node.type == "break_statement":
        targets.add("switch_statement")
    for around in ancestors(node):
        if around.type in _FUNCTIONS:
            return True
        if label is None and around.type in targets:
            return False
        if around.type == "labeled_statement" and label is not None:
            name = around.child_by_field_name("label")
            if text_of(name) == text_of(label):
                return False
    return True


def _returns_nowhere(node: "Node") -> bool:
    """Whether a `return` is outside of functions, which only scripts that a function wraps have."""
    function = nearest(node, _FUNCTIONS)
    if function is None:
        return _is_module(node)
    return function.type in _FIELDS


def _has_no_super(node: "Node") -> bool:
    function = nearest(node, _FUNCTIONS - {"arrow_function"})
    parent = node.parent
    is_called = parent is not None and parent.type == "call_expression"
    if parent is None or not (is_called or parent.type in _OF_MEMBERS):
        return True
    if function is None or function.type in _FIELDS:
        return function is None or is_called
    if function.type != "method_definition":
        return True
    if not is_called:
        return False
    around = nearest(
        function, ("abstract_class_declaration", "class", "class_declaration", "object")
    )
    named = text_of(function.child_by_field_name("name"))
    return named != "constructor" or around is None or not has(around, "class_heritage")


def _repeats_members(body: "Node") -> bool:
    """Whether a class has two constructors, or two private members of one name."""
    names: list[str] = []
    for member in body.named_children:
        name = text_of(member.child_by_field_name("name") or member.child_by_field_name("property"))
        is_method = member.type == "method_definition"
        if is_method and name == "constructor" and not has(member, "static"):
            names.append(name)
        elif name.startswith("#"):
            half = next((word for word in ("get", "set") if has(member, word)), "")
            names += [f"{half} {name}"] if half else [f"get {name}", f"set {name}"]
    return len(names) > len(set(names))


def _is_undeclared(node: "Node") -> bool:
    """Whether a private name belongs to none of the classes around it."""
    bodies = [around for around in ancestors(node) if around.type == "class_body"]
    members = [member for body in bodies for member in body.named_children]
    names = [m.child_by_field_name("name") or m.child_by_field_name("property") for m in members]
    return text_of(node) not in [text_of(name) for name in names]


def _has_two_defaults(body: "Node") -> bool:
    return sum(child.type == "switch_default" for child in body.children) > 1


def _mixes(node: "Node") -> bool:
    """Whether `??` and `||` or `&&` stand side by side without parentheses."""
    one = text_of(node.child_by_field_name("operator"))
    sides = (node.child_by_field_name("left"), node.child_by_field_name("right"))
    operators = {
        text_of(side.child_by_field_name("operator"))
        for side in sides
        if side is not None and side.type == "binary_expression"
    }
    return bool(operators & {"||", "&&"}) if one == "??" else "??" in operators


def _is_not_last(node: "Node") -> bool:
    parent = node.parent
    if parent is not None and parent.type in ("required_parameter", "optional_parameter"):
        node = parent
    after = node.next_sibling
    return after is not None and after.type == ","


def _takes_wrong_parameters(node: "Node") -> bool:
    parameters = node.child_by_field_name("parameters")
    if parameters is None:
        return False
    return len(shown(parameters)) != (1 if has(node, "set") else 0)


def _is_misplaced(node: "Node") -> bool:
    """Whether an import or export is in a block, or in a script that requires its modules."""
    parent = node.parent
    if parent is None or parent.type == "ERROR":
        return False
    if parent.type == "program":
        return node.type == "import_statement" and any(map(_is_required, parent.named_children))
    around = parent.parent
    is_namespace = around is not None and around.type in ("internal_module", "module")
    return not (is_namespace or (around is not None and around.type == "ambient_declaration"))


def _is_required(statement: "Node") -> bool:
    """Whether a statement is one of a CommonJS module."""
    if statement.type == "expression_statement":
        first = statement.named_children[0] if statement.named_children else None
        left = first.child_by_field_name("left") if first is not None else None
        return left is not None and bool(_REQUIRED.match(text_of(left)))
    if statement.type not in ("lexical_declaration", "variable_declaration"):
        return False
    values = [child.child_by_field_name("value") for child in statement.named_children]
    return any(_REQUIRED.match(text_of(value)) for value in values)


def _is_module(node: "Node") -> bool:
    *_, root = [node, *ancestors(node)]
    return any(child.type in _MODULE for child in root.named_children)


def _is_no_pattern(node: "Node") -> bool:
    """Whether a regular expression's groups do not match, or it repeats nothing."""
    pattern, flags = (text_of(node.child_by_field_name(n)) for n in ("pattern", "flags"))
    depth, begun = 0, 0  # where an alternative begins that has nothing yet
    for piece in _PIECES.finditer(pattern):
        if piece[4] and piece.start() == begun:
            return True
        depth += bool(piece[1]) - bool(piece[2])
        if depth < 0:
            return True
        begun = piece.end() if piece[1] or piece[3] else -1
    return depth > 0 or len(set(flags)) < len(flags) or bool(set(flags) - set("dgimsuvy"))


def _takes_no_value(left: "Node") -> bool:
    """Whether what is assigned to is no place for a value."""
    if left.type in ("member_expression", "subscript_expression"):
        return has(left, "optional_chain")
    return left.type not in _PLACES


def _begins_otherwise(statement: "Node") -> bool:
    """Whether what an expression begins with makes another statement of it, as a brace does."""
    node = statement
    while node.children:
        node = node.children[0]
        if node.type in _OTHERS:
            return True
    return node.type == "identifier" and node.text == b"let"


def _has_no_value(pattern: "Node") -> bool:
    """Whether a declaration takes apart a value that it does not have."""
    loops = ("for_in_statement", "ambient_declaration")
    around = nearest(pattern, ("lexical_declaration", "variable_declaration"))
    return around is None or around.parent is None or around.parent.type not in loops


def _repeats_names(parameters: "Node") -> bool:
    """Whether two parameters have one name where that is no sloppy function's."""
    function = parameters.parent
    if function is None or "function" not in function.type or "type" in function.type:
        return False
    found = shown(parameters)
    bound = [each.child_by_field_name("left") or each for each in found]
    names = [text_of(each) for each in bound if each.type == "identifier"]
    is_plain = {each.type for each in found} == {"identifier"}
    is_plain = is_plain and function.type != "arrow_function"
    return not is_plain and len(names) > len(set(names))


_PLACES = frozenset(
    {
        *("identifier", "undefined", "array_pattern", "object_pattern", "array", "object"),
        *("parenthesized_expression", "non_null_expression", "as_expression", "type_assertion"),
        *("satisfies_expression", "call_expression"),
    }
)
"""A call is refused when it is run, not before."""
_TESTS = {
    "accessor": _takes_wrong_parameters,
    "arguments": lambda node: True,
    "assigned": _takes_no_value,
    "await": _awaits_nothing,
    "break": _leads_nowhere,
    "class": _repeats_members,
    "continue": _leads_nowhere,
    "mixed": _mixes,
    "module": _is_misplaced,
    "operand": lambda node: True,
    "parameters": _repeats_names,
    "pattern": _has_no_value,
    "power": lambda node: True,
    "private": _is_undeclared,
    "regex": _is_no_pattern,
    "rest": _is_not_last,
    "return": _returns_nowhere,
    "shorthand": lambda node: text_of(node) in _RESERVED,
    "statement": _begins_otherwise,
    "super": _has_no_super,
    "switch": _has_two_defaults,
    "yield": _yields_nothing,
}
