"""Rename a symbol in the workspace, on syntax: names in code, not in strings and comments.

What is known within a function is renamed there; what a file defines, in the file and in the files
that use it; a member of a class, wherever it follows a dot, if no other class has a member of that
name; how many are left because of another class is said. A file that has a definition of its own
of that name is left alone. In Python, the names that `__all__` lists are renamed, too.
"""

import keyword
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from midline.model.errors import MidlineError
from midline.server.routing.definitions import (
    Definition,
    Mention,
    definitions,
    is_class,
    is_function,
    mentions,
    project_definitions,
    scope_of,
    text_of,
)
from midline.server.routing.edits import Edit, TextEdit, changed_texts, check_syntax
from midline.server.routing.outcome import QuestionError
from midline.server.routing.targets import Resolver
from midline.server.routing.workspace import SourceFile

if TYPE_CHECKING:
    from tree_sitter import Node

_IDENTIFIER = re.compile(r"[^\W\d]\w*[?!]?")
_ALL = re.compile(rb"^__all__\b[^=\n]*=\s*([\[(][^\])]*[\])])", re.MULTILINE)
_BARE = frozenset({"java", "csharp", "cpp", "kotlin", "swift", "scala", "ruby"})
"""Languages in which a class's members are mentioned in it without a dot."""
_PACKAGE = re.compile(rb"^package\s+(\w+)", re.MULTILINE)
_SCRIPTS = frozenset({"javascript", "typescript", "tsx"})
_FAMILIES = (
    _SCRIPTS,
    frozenset({"c", "cpp"}),
)


def rename(resolver: Resolver) -> Edit:
    """The edits that rename the symbol of the frame.

    Raises QuestionError for a name that is missing or unknown, MidlineError for a new name that is
    no identifier or is taken where the old one is used.
    """
    new = resolver.frame["new_name"]
    if not new:
        raise QuestionError("what is the new name?")
    definition = resolver.definition() or _at_cursor(resolver)
    old = definition.name
    new = _without_class(new, resolver, definition)
    _check_name(new, definition)
    if new == old:
        raise MidlineError(f"{old} is called so already")
    found = list(_mentions(resolver, definition))
    _check_free(resolver, definition, found, new)
    edits = tuple(
        TextEdit(m.source.path, m.start, m.end, _written(m, old, new).encode()) for m in found
    )
    edits += tuple(_listed_names(definition, found, new))
    files = len({edit.path for edit in edits})
    told = f"{old} becomes {new} at {_counted(len(edits), 'place')} in {_counted(files, 'file')}"
    left = _left(resolver, definition, found)
    if left:
        told += f"; {_counted(left, 'place')} where another class's {old} may be meant stay"
    edit = Edit(told, edits)
    check_syntax(changed_texts(edit, resolver.workspace))
    return edit


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _without_class(new: str, resolver: Resolver, definition: Definition) -> str:
    """`put` for `Cart.put` where the old name is one of `Cart`."""
    owner, _, name = new.rpartition(".")
    return name if owner and owner in (definition.container, resolver.container()) else new


def _listed_names(definition: Definition, found: list[Mention], new: str) -> Iterator[TextEdit]:
    """The edits of the strings in `__all__` of the files that have the name."""
    if definition.is_local or definition.is_member or definition.source.language != "python":
        return
    for source in {mention.source.path: mention.source for mention in found}.values():
        for listed in _ALL.finditer(source.data):
            for name in re.finditer(rb"([\"'])%b\1" % definition.name.encode(), listed[1]):
                start = listed.start(1) + name.start() + 1
                yield TextEdit(source.path, start, start + len(definition.name), new.encode())


def _written(mention: Mention, old: str, new: str) -> str:
    return f"{old}: {new}" if mention.is_shorthand else new


def _check_name(new: str, definition: Definition) -> None:
    is_word = _IDENTIFIER.fullmatch(new) is not None
    if definition.source.language == "python":
        is_word = is_word and new.isidentifier() and not keyword.iskeyword(new)
    if not is_word:
        raise MidlineError(f"{new!r:.80} is no name that code can have; choose another one")


def _at_cursor(resolver: Resolver) -> Definition:
    """The symbol under the cursor, or the function that it is in."""
    cursor = resolver.cursor
    source = resolver.source(cursor.path) if cursor else None
    if cursor is None or source is None:
        raise QuestionError("which name is to be changed?")
    found = resolver.target("renamed").definition
    if found is None:
        raise QuestionError("which name is to be changed?")
    return found


def _mentions(resolver: Resolver, definition: Definition) -> Iterator[Mention]:
    name, own = definition.name, definition.source
    if definition.is_local:
        assert definition.scope is not None
        yield from _within(definition, definition.scope)
        return
    if definition.is_member:
        yield from _members(resolver, definition)
        return
    for source in resolver.workspace.sources_with(name):
        if source.path == own.path:
            yield from (m for m in mentions(source, name) if _means_top(m, name))
        elif _same_family(source.language, own.language):
            elsewhere = [d for d in definitions(source, name) if d.scope is None]
            if not [d for d in elsewhere if "import" not in d.node.type]:
                yield from _outside(resolver, definition, source.path)


def _outside(resolver: Resolver, definition: Definition, path: object) -> Iterator[Mention]:
    """Mentions in another file; in Python only if it imports the name or its module."""
    source = next(s for s in resolver.workspace.sources_with(definition.name) if s.path == path)
    stem = definition.source.path.stem
    module = definition.source.path.parent.name if stem == "__init__" else stem
    package = _PACKAGE.search(definition.source.data)
    if source.language == "go" and package:
        module = package[1].decode()
    imports_name = imports_module = True
    if source.language == "python":
        text = source.data.decode("utf-8", "replace")
        name = re.escape(definition.name)
        from_module = rf"from\s+[\w.]*(?<!\w){re.escape(module)}\s+import\b"
        imports_name = re.search(rf"{from_module}(\s*\([^)]*|[^\n]*)\b{name}\b", text) is not None
        imports_name = imports_name or re.search(rf"{from_module}\s*\*", text) is not None
        imports_module = re.search(rf"import\s[^\n]*\b{re.escape(module)}\b", text) is not None
    for mention in mentions(source, definition.name):
        if mention.is_member:
            if imports_module and _is_of_module(mention, module):
                yield mention
        elif imports_name and _is_seen(source, definition) and _means_top(mention, definition.name):
            yield mention


def _is_seen(source: SourceFile, definition: Definition) -> bool:
    """Whether a file can have the name without a dot: in Go, one of the same package."""
    return source.language != "go" or source.path.parent == definition.source.path.parent


def _is_of_module(mention: Mention, module: str) -> bool:
    """Whether a member is one of a module or package, by what stands before the dot."""
    dot = mention.node.prev_sibling
    owner = dot.prev_sibling if dot is not None else None
    if dot is None or owner is None:
        return False
    name, text = text_of(owner), mention.source.data.decode("utf-8", "replace")
    if mention.source.language == "python":
        alias = rf"import\s+[\w.]*\b{re.escape(module)}\s+as\s+{re.escape(name)}\b"
        return name.rpartition(".")[2] == module or re.search(alias, text) is not None
    if mention.source.language in _SCRIPTS:
        whole = rf"(?:\*\s+as|const|let|var)\s+{re.escape(name)}\s+(?:from|=\s*require)\b"
        return re.search(whole, text) is not None
    return dot.type == "::" or name == module


def _means_top(mention: Mention, name: str) -> bool:
    """Whether a mention means what the file defines: no member, and no local of the same name."""
    if mention.is_member or mention.is_keyword_argument:
        return False
    scope = _binding_scope(mention, name)
    return scope is None


def _binding_scope(mention: Mention, name: str) -> "Node | None":
    """The innermost scope that has its own `name` around a mention; None for the file's.

    A class counts for what lies directly in it: its methods do not see its members.
    """
    own = {
        d.scope.id: d.scope
        for d in definitions(mention.source, name)
        if d.scope is not None and not _is_global(d, name)
    }
    home = above = _home_of(mention)
    while above is not None:
        if above.id in own and (is_function(above) or above == home):
            return above
        above = scope_of(above)
    return None


def _home_of(mention: Mention) -> "Node | None":
    """The scope that a mention lies in: the name of a function or class lies around it."""
    scope = scope_of(mention.node)
    return scope_of(scope) if scope is not None and defined_name_is(scope, mention) else scope


def _is_global(definition: Definition, name: str) -> bool:
    scope = definition.scope
    text = scope.text if scope is not None else None
    pattern = rf"\b(?:global|nonlocal)\s[^\n]*\b{re.escape(name)}\b"
    return text is not None and re.search(pattern, text.decode("utf-8", "replace")) is not None


def _within(definition: Definition, scope: "Node") -> Iterator[Mention]:
    """Mentions of a local name in its function, and the arguments that callers give it by name."""
    for mention in mentions(definition.source, definition.name):
        if mention.is_member or mention.is_keyword_argument:
            continue
        if scope.start_byte <= mention.start < scope.end_byte:
            binding = _binding_scope(mention, definition.name)
            if binding is None or binding.id == scope.id:
                yield mention


def _members(resolver: Resolver, definition: Definition) -> Iterator[Mention]:
    """Mentions of a member: its definition, and what follows a dot."""
    others = _same_members(resolver, definition)
    for mention in _family_mentions(resolver, definition):
        source = mention.source
        own = mention.node.id == definition.name_node.id
        inside = source.path == definition.source.path and _in_scope(mention, definition)
        if (
            own
            or (mention.is_member and (not others or inside))
            or (inside and mention.is_definition and _is_directly(mention, definition))
            or (inside and source.language in _BARE and _is_bare(mention, definition.name))
            or _is_key_of(mention, definition)
        ):
            yield mention


def _same_members(resolver: Resolver, definition: Definition) -> list[Definition]:
    """Members of the same name that other classes of the language have."""
    return [
        d
        for d in project_definitions(resolver.workspace, definition.name)
        if d.is_member and d.container != definition.container
        if _same_family(d.source.language, definition.source.language)
    ]


def _family_mentions(resolver: Resolver, definition: Definition) -> Iterator[Mention]:
    for source in resolver.workspace.sources_with(definition.name):
        if _same_family(source.language, definition.source.language):
            yield from mentions(source, definition.name)


def _left(resolver: Resolver, definition: Definition, found: list[Mention]) -> int:
    """How many mentions stay that may mean the member, or another class's of the same name."""
    if not definition.is_member or not _same_members(resolver, definition):
        return 0
    renamed = {(mention.source.path, mention.start) for mention in found}
    return sum(
        mention.is_member and (mention.source.path, mention.start) not in renamed
        for mention in _family_mentions(resolver, definition)
    )


def _is_key_of(mention: Mention, definition: Definition) -> bool:
    """Whether a mention is the key of a field in Go's `Stock{Items: ..}`."""
    above: Node | None = mention.node
    for kind in ("literal_element", "keyed_element", "literal_value", "composite_literal"):
        above = above.parent if above is not None else None
        if above is None or above.type != kind:
            return False
        is_key = kind != "keyed_element" or above.children[0].end_byte == mention.end
        if not is_key:
            return False
    of = above.child_by_field_name("type") if above is not None else None
    return of is not None and text_of(of).rpartition(".")[2] == definition.container


def _is_bare(mention: Mention, name: str) -> bool:
    """Whether a member is mentioned without a dot, and no local of its name is meant."""
    binding = _binding_scope(mention, name)
    return not mention.is_member and (binding is None or is_class(binding))


def _is_directly(mention: Mention, definition: Definition) -> bool:
    scope = scope_of(mention.node)
    if scope is not None and is_function(scope):
        scope = scope_of(scope) if defined_name_is(scope, mention) else scope
    return scope == definition.scope


def defined_name_is(function: "Node", mention: Mention) -> bool:
    """Whether a mention is the name of a function, not something in it."""
    name = function.child_by_field_name("name")
    return name is not None and name.id == mention.node.id


def _in_scope(mention: Mention, definition: Definition) -> bool:
    scope = definition.scope
    return scope is not None and scope.start_byte <= mention.start < scope.end_byte


def _same_family(one: str, other: str) -> bool:
    return one == other or any({one, other} <= family for family in _FAMILIES)


def _check_free(resolver: Resolver, definition: Definition, found: list[Mention], new: str) -> None:
    """Raise MidlineError if the new name has a meaning already where the old one is used."""
    for path in sorted({mention.source.path for mention in found}):
        source = resolver.source(path)
        assert source is not None
        own = [mention for mention in found if mention.source.path == path]
        for mention in mentions(source, new):
            if _collides(mention, definition, own):
                raise MidlineError(
                    f"{new} is there already ({resolver.workspace.name_of(path)}:{mention.line}), "
                    f"and {definition.name} would become the same; choose another name"
                )


def _collides(mention: Mention, definition: Definition, found: list[Mention]) -> bool:
    """Whether a mention of the new name means something that a renamed one would mean, too."""
    if definition.is_member:
        return mention.is_member or (
            mention.source.path == definition.source.path and _in_scope(mention, definition)
        )
    if mention.is_member or mention.is_keyword_argument:
        return False
    if definition.is_local:
        return _in_scope(mention, definition)
    binding = _binding_scope(mention, text_of(mention.node))
    if binding is None or mention.source.language in _BARE:
        return True
    return any(_sees(renamed, binding) for renamed in found)


def _sees(mention: Mention, scope: "Node") -> bool:
    """Whether a mention can mean what a scope has; methods do not see the members of a class."""
    home = _home_of(mention)
    if is_class(scope):
        return home == scope
    return home is not None and scope.start_byte <= home.start_byte < scope.end_byte
