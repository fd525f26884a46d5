"""Definitions and mentions of names in a syntax tree, whatever the language.

The rules use the node types and fields that the grammars have in common. A scope is the function,
the class or the file that a name is defined in.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

from midline.server.routing.workspace import SourceFile, Workspace

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_SEARCHED = 200
_FUNCTION = re.compile(
    r"function_(definition|declaration|item|expression|signature_item)|method(_(definition|declaration|elem|signature))?"
    r"|constructor_(declaration|definition)|singleton_method|arrow_function|lambda\w*|closure_expression|func_literal|init_declaration"
    r"|local_function_statement|generator_function\w*|subroutine_declaration_statement"
    r"|function_definition_statement|anonymous_function\w*"
)
_CLASS = re.compile(
    r"(class|struct|enum|interface|trait|union|object|record|protocol|module|impl|mod|namespace)"
    r"(_(definition|declaration|item|specifier|spec|expression))?|type_(spec|item)"
    r"|abstract_class_declaration|internal_module|companion_object"
)
_VARIABLE = re.compile(
    r"variable_(declarator|declaration)|assignment|const_(item|spec|declaration)|static_item|let_\w+"
    r"|short_var_declaration|var_(spec|declaration)|property_declaration|init_declarator|val_\w+"
    r"|field_(declaration|definition)|public_field_definition|(typed_)?(default_)?parameter"
    r"|simple_parameter|formal_parameter|required_parameter|optional_parameter|parameter_declaration"
    r"|typed_default_parameter|for_statement|for_in_statement|for_in_clause|as_pattern|named_expression"
    r"|type_alias_(declaration|statement)|enum_(assignment|constant|variant)|preproc_(def|function_def)"
    r"|declaration|multi_variable_declaration|augmented_assignment|property_signature|spread_parameter"
    r"|for_expression|for_range_loop|enhanced_for_statement|catch_clause|for_each_statement|range_clause"
)
_PARAMETERS = re.compile(r"(lambda_|formal_|function_value_|closure_)?parameters?(_list)?")
_NAME = re.compile(r"\w*identifier\w*|name|constant|variable_name|word|package_identifier")
_NAME_FIELDS = ("name", "declarator", "pattern", "left", "alias")
_PARTS = re.compile(r"attribute|subscript|call|element_reference|\w+_(access|expression)")
"""What a name only leads to: `a.b = 1` and `a[0] = 1` give `a` no meaning."""
_RECEIVER = re.compile(r"(\w+)\s*(?:\[[^\]]*\])?\s*,?\s*\)$")
"""The type at the end of `(s *Stock)` and `(l *List[T])`."""
_DOTS = frozenset({".", "?.", "->", "::", "&.", ":"})
_NOT_A_MEMBER_WITH_COLON = re.compile(
    r"pair|typed|annotat|param|argument|dictionary|slice|label|case"
)


@dataclass(frozen=True)
class Mention:
    """A name in a file: bytes from `start` to `end`.

    is_member: it follows a dot. is_definition: it is given a meaning here.
    """

    source: SourceFile
    node: "Node"
    is_member: bool
    is_definition: bool

    @property
    def start(self) -> int:
        """Offset of its first byte."""
        return self.node.start_byte

    @property
    def end(self) -> int:
        """Offset behind its last byte."""
        return self.node.end_byte

    @property
    def line(self) -> int:
        """Its line, counted from 1."""
        return self.node.start_point[0] + 1

    @property
    def is_shorthand(self) -> bool:
        """Whether it is the key and the value of an object at once."""
        return self.node.type.startswith("shorthand_property_identifier")

    @property
    def is_keyword_argument(self) -> bool:
        """Whether it names the parameter of a call."""
        parent = self.node.parent
        return (
            parent is not None
            and parent.type in ("keyword_argument", "named_argument")
            and parent.children[0] == self.node
        )


@dataclass(frozen=True)
class Definition:
    """Where a name gets its meaning.

    kind: function, class or variable. node: the whole of what is defined. scope: the function or
    class that it is in, None for the file.
    """

    name: str
    kind: str
    source: SourceFile
    node: "Node"
    name_node: "Node"
    scope: "Node | None"

    @property
    def line(self) -> int:
        """The line of the name, counted from 1."""
        return self.name_node.start_point[0] + 1

    @property
    def is_member(self) -> bool:
        """Whether it belongs to a class, or as a method in Go to a type."""
        return bool(self._receiver) or (self.scope is not None and is_class(self.scope))

    @property
    def is_local(self) -> bool:
        """Whether it is only known within a function."""
        return self.scope is not None and not is_class(self.scope)

    @property
    def container(self) -> str:
        """The name of the class that it is a member of, or of the function that it is local to."""
        found = None if self.scope is None else name_node_of(self.scope)
        return self._receiver if found is None else text_of(found)

    @property
    def _receiver(self) -> str:
        """The type that a method of Go is declared for, "" for everything else."""
        receiver = self.node.child_by_field_name("receiver")
        if receiver is None or self.node.type != "method_declaration":
            return ""
        found = _RECEIVER.search(text_of(receiver))
        return found[1] if found else ""

    def text(self) -> str:
        """The text of what is defined."""
        return self.source.data[self.node.start_byte : self.node.end_byte].decode(
            "utf-8", "replace"
        )


def text_of(node: "Node") -> str:
    """The text of a node."""
    return (node.text or b"").decode("utf-8", "replace")


def is_class(node: "Node") -> bool:
    """Whether a node is a class or what a language has in place of one."""
    return _CLASS.fullmatch(node.type) is not None and node.is_named


def is_function(node: "Node") -> bool:
    """Whether a node is a function or a method."""
    return _FUNCTION.fullmatch(node.type) is not None and node.is_named


def name_node_of(node: "Node") -> "Node | None":
    """The identifier that a node defines, if it is a definition."""
    for field in (*_NAME_FIELDS, "type"):
        child = node.child_by_field_name(field)
        if field == "type" and not node.type.startswith("impl"):
            continue
        while child is not None and not _is_name(child):
            inner = next(
                (c for f in _NAME_FIELDS if (c := child.child_by_field_name(f)) is not None), None
            )
            child = inner or _only_name(child)
        if child is not None:
            return child
    return _only_name(node) if node.type in ("simple_parameter", "as_pattern_target") else None


def _only_name(node: "Node") -> "Node | None":
    """The name that a node has as its first named child, as a pointer or a default has it."""
    first = node.named_children[0] if node.named_children else None
    if first is None or _PARTS.fullmatch(node.type):
        return None
    return first if _is_name(first) else None


def _is_name(node: "Node") -> bool:
    return node.child_count == 0 and _NAME.fullmatch(node.type) is not None


def definition_kind(node: "Node") -> str:
    """What a node defines: function, class, variable, or "" for nothing."""
    if not node.is_named:
        return ""
    for kind, rule in (("function", _FUNCTION), ("class", _CLASS), ("variable", _VARIABLE)):
        if rule.fullmatch(node.type):
            return kind
    return ""


def scope_of(node: "Node") -> "Node | None":
    """The function or class around a node, the node itself not counted; None for the file."""
    above = node.parent
    while above is not None and above.parent is not None:  # the root of Python is a "module", too
        if is_function(above) or is_class(above):
            return above
        above = above.parent
    return None


def mentions(source: SourceFile, name: str) -> Iterator[Mention]:
    """Every place in a file where code has this name; strings and comments are left out."""
    needle = name.encode()
    waiting = [source.tree.root_node]
    while waiting:
        node = waiting.pop()
        if node.child_count:
            waiting += reversed(node.children)
        elif node.text == needle and _is_name(node):
            yield Mention(source, node, _follows_dot(node), defined_by(node) is not None)


def _follows_dot(node: "Node") -> bool:
    before = node.prev_sibling
    if before is not None and before.type in _DOTS:
        parent = node.parent
        is_label = parent is not None and _NOT_A_MEMBER_WITH_COLON.search(parent.type)
        return before.type != ":" or not is_label
    parent = node.parent
    return parent is not None and parent.type == "field_identifier"


def defined_by(name_node: "Node") -> "Node | None":
    """The node that gives a name its meaning, None where it is only used."""
    if _follows_dot(name_node):
        return None
    below, above = name_node, name_node.parent
    for _ in range(4):
        if above is None:
            return None
        if _PARAMETERS.fullmatch(above.type) and _is_whole(below, name_node):
            return name_node
        if definition_kind(above):
            found = name_node_of(above)
            if found is not None and found.id == name_node.id:
                return above
            if not _names_several(above, below):
                return None
            return above
        below, above = above, above.parent
    return None


def _is_whole(parameter: "Node", name_node: "Node") -> bool:
    """Whether a parameter is a bare name, or one behind stars or dots."""
    return parameter.id == name_node.id or "splat" in parameter.type or "rest" in parameter.type


def _names_several(node: "Node", child: "Node") -> bool:
    """Whether `a, b = ..` or `for a, b in ..` defines what `child`, a list of names, holds."""
    left = node.child_by_field_name("left") or node.child_by_field_name("pattern")
    return left is not None and left.id == child.id and "list" in child.type


def definitions(source: SourceFile, name: str) -> list[Definition]:
    """Where a file gives this name a meaning."""
    found = []
    for mention in mentions(source, name):
        node = defined_by(mention.node)
        if node is None or node.type.startswith("impl"):
            continue
        kind = definition_kind(node) or "variable"
        found.append(Definition(name, kind, source, node, mention.node, scope_of(node)))
    return found


def project_definitions(workspace: Workspace, name: str) -> list[Definition]:
    """Where the files of a project give this name a meaning."""
    return [found for source in workspace.sources_with(name) for found in definitions(source, name)]


def is_defined(workspace: Workspace, name: str) -> bool:
    """Whether a project gives this name a meaning, in the first `MAX_SEARCHED` files that have it.

    Names that are only known within a function do not count.
    """
    holding = islice(workspace.sources_with(name), MAX_SEARCHED)
    return any(not found.is_local for source in holding for found in definitions(source, name))


def outline(source: SourceFile) -> Iterator[Definition]:
    """The functions and classes of a file, in order, those within others too."""
    waiting = [source.tree.root_node]
    while waiting:
        node = waiting.pop()
        waiting += reversed(node.children)
        kind = definition_kind(node)
        if kind == "variable" and _is_function_value(node):
            kind = "function"
        found = name_node_of(node) if kind in ("function", "class") else None
        if found is not None and not node.type.startswith("impl"):
            yield Definition(text_of(found), kind, source, node, found, scope_of(node))


def _is_function_value(node: "Node") -> bool:
    value = node.child_by_field_name("value")
    return value is not None and is_function(value)


def definition_at(source: SourceFile, first: int, last: int) -> Definition | None:
    """The innermost function, or else class, that spans the lines from `first` to `last`."""
    around = [
        found
        for found in outline(source)
        if found.node.start_point[0] < first and found.node.end_point[0] + 1 >= last
    ]
    functions = [found for found in around if found.kind == "function"]
    found = functions or around
    return found[-1] if found else None
