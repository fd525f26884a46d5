"""Extract statements into a function of their own, or a literal into a constant, on syntax.

What the statements read of the function around them becomes parameters; what they bind and is read
behind them becomes the result. Statements that leave the function or a loop halfway cannot be
extracted.
"""

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING

from midline.model.errors import MidlineError
from midline.server.routing.definitions import (
    Definition,
    definition_at,
    definitions,
    is_function,
    mentions,
    scope_of,
    text_of,
)
from midline.server.routing.edits import Edit, TextEdit, changed_texts, check_syntax
from midline.server.routing.outcome import QuestionError
from midline.server.routing.targets import Resolver
from midline.server.routing.workspace import SourceFile

if TYPE_CHECKING:
    from tree_sitter import Node

_SCRIPTS = frozenset({"javascript", "typescript", "tsx"})
_LEAVING = frozenset({"return_statement", "yield", "break_statement", "continue_statement"})
_LOOPS = frozenset({"for_statement", "while_statement", "for_in_statement", "do_statement"})
_OUTER = frozenset({"global_statement", "nonlocal_statement"})
_LITERALS = frozenset(
    {"integer", "float", "string", "number", "template_string", "true", "false", "none"}
)
_NAME = re.compile(r"[^\W\d]\w*")


@dataclass(frozen=True)
class _Selection:
    """Statements of one block: `first` and `last`, and the function that they are in, if any."""

    source: SourceFile
    first: "Node"
    last: "Node"
    function: Definition | None

    @property
    def start(self) -> int:
        """Offset of the line that the first statement begins."""
        return self.source.data.rfind(b"\n", 0, self.first.start_byte) + 1

    @property
    def indent(self) -> str:
        """What the first statement is indented by."""
        return self.source.data[self.start : self.first.start_byte].decode("utf-8", "replace")

    def text(self) -> str:
        """Their lines without the indentation that they share."""
        lines = self.source.data[self.start : self.last.end_byte].decode("utf-8", "replace")
        return textwrap.dedent(lines)

    def has(self, node: "Node") -> bool:
        """Whether a node lies in them."""
        return self.first.start_byte <= node.start_byte and node.end_byte <= self.last.end_byte


def extract(resolver: Resolver) -> Edit:
    """The edits that move the selected lines into a function of their own.

    Raises QuestionError where lines or the name are missing, MidlineError where the statements
    cannot be moved without changing what they do.
    """
    frame, name = resolver.frame, resolver.frame["new_name"]
    source, lines = _selected_lines(resolver)
    if not name:
        raise QuestionError("what is the new function or constant to be called?")
    if not _NAME.fullmatch(name):
        raise MidlineError(f"{name!r:.80} is no name that code can have; choose another one")
    taken = next(iter(mentions(source, name)), None)
    if taken is not None:
        raise MidlineError(
            f"{name} is there already ({source.path.name}:{taken.line}); choose another name"
        )
    if re.search(r"\bconst(ant)?\b", frame.text):
        edit = _constant(source, lines, name)
    else:
        edit = _function(_select(source, lines), name)
    check_syntax(changed_texts(edit, resolver.workspace))
    return edit


def _selected_lines(resolver: Resolver) -> tuple[SourceFile, tuple[int, int]]:
    lines = resolver.lines()
    cursor = resolver.cursor
    if lines is None and cursor is not None and not resolver.frame["path"]:
        lines = cursor.first, cursor.last
    if lines is None:
        raise QuestionError("which lines are to be extracted, as in `lines 10-20 of app.py`?")
    path = resolver.file("extracted from")
    source = resolver.source(path)
    if source is None or (source.language != "python" and source.language not in _SCRIPTS):
        raise MidlineError(
            f"extracting works in Python, JavaScript and TypeScript, and not in {path.name}"
        )
    if lines[0] < 1 or lines[0] > source.data.count(b"\n") + 1:
        raise QuestionError(f"{path.name} has no line {lines[0]}; which lines?")
    return source, lines


def _select(source: SourceFile, lines: tuple[int, int]) -> _Selection:
    """The whole statements on these lines; MidlineError where a statement is cut by them."""
    first_row, last_row = lines[0] - 1, lines[1] - 1
    block = source.tree.root_node
    while True:
        inside = [
            n
            for n in block.named_children
            if n.start_point[0] <= last_row
            and n.end_point[0] >= first_row
            and "comment" not in n.type
        ]
        whole = [n for n in inside if n.start_point[0] >= first_row and n.end_point[0] <= last_row]
        if inside and len(whole) == len(inside) and _is_block(block):
            break
        deeper = [n for n in inside if n.child_count]
        if len(deeper) != 1:
            raise MidlineError(
                f"lines {lines[0]} to {lines[1]} are not whole statements; select all of them"
            )
        block = deeper[0]
    function = scope_of(whole[0])
    around = definition_at(source, *lines) if function is not None else None
    return _Selection(source, whole[0], whole[-1], around)


def _is_block(node: "Node") -> bool:
    return node.type in ("module", "block", "program", "statement_block")


def _function(selection: _Selection, name: str) -> Edit:
    _check_leaving(selection)
    inputs, outputs = _inputs(selection), _outputs(selection)
    self_name = _self_of(selection, inputs)
    writer = _script if selection.source.language in _SCRIPTS else _python
    definition, call = writer(selection, name, inputs, outputs, self_name)
    path = selection.source.path
    place = _place_of(selection, self_name)
    moved = TextEdit(path, selection.start, selection.last.end_byte, call.encode())
    gap = "\n\n" if place.column == 0 and writer is _python else "\n"
    text = f"\n{gap}{definition.rstrip()}" if place.behind else f"{definition}{gap}"
    added = TextEdit(path, place.at, place.at, text.encode())
    first, last = selection.first.start_point[0] + 1, selection.last.end_point[0] + 1
    what = f"line {first} becomes" if first == last else f"lines {first} to {last} become"
    return Edit(f"{what} {name}", (added, moved))


@dataclass(frozen=True)
class _Spot:
    at: int
    column: int
    behind: bool


def _place_of(selection: _Selection, self_name: str) -> _Spot:
    """Above the outermost function, or behind the method that the statements are of."""
    function = selection.function
    if function is None:
        return _Spot(selection.start, 0, False)
    if self_name:
        return _Spot(function.node.end_byte, 1, True)
    node = function.node
    while node.parent is not None and node.parent.parent is not None:
        node = node.parent
    return _Spot(node.start_byte, 0, False)


def _check_leaving(selection: _Selection) -> None:
    waiting: list[tuple[Node, bool]] = [
        (node, False)
        for node in (selection.first.parent.children if selection.first.parent else ())
        if selection.has(node)
    ]
    while waiting:
        node, in_loop = waiting.pop()
        if is_function(node):
            continue
        is_loop_end = node.type in ("break_statement", "continue_statement")
        leaves = node.type in _LEAVING and not (is_loop_end and in_loop)
        if node.type in _OUTER or (leaves and node.id != selection.last.id):
            raise MidlineError(
                f"line {node.start_point[0] + 1} has a {text_of(node).split()[0]}, which would not "
                "do the same in another function; select other lines"
            )
        if leaves and node.type != "return_statement":
            raise MidlineError(
                f"line {node.start_point[0] + 1} leaves a loop that is not selected; select all of "
                "it"
            )
        waiting += [(child, in_loop or node.type in _LOOPS) for child in node.children]


def _names_in(selection: _Selection) -> list[str]:
    """The names that the statements mention, members left out, in order."""
    found: dict[str, None] = {}
    data = selection.source.data[selection.first.start_byte : selection.last.end_byte]
    for word in dict.fromkeys(_NAME.findall(data.decode("utf-8", "replace"))):
        for mention in mentions(selection.source, word):
            if (
                selection.has(mention.node)
                and not mention.is_member
                and not mention.is_keyword_argument
            ):
                found.setdefault(word)
                break
    return list(found)


def _inputs(selection: _Selection) -> list[str]:
    """Names that the function around binds in front of the statements, and that they mention."""
    function = selection.function
    if function is None:
        return []
    inputs = []
    for name in _names_in(selection):
        bound = [d for d in definitions(selection.source, name) if d.scope == function.node]
        outside = [d for d in bound if not selection.has(d.name_node)]
        before = [d for d in outside if d.name_node.start_byte < selection.first.start_byte]
        if before and not _is_bound_first(selection, name, bound):
            inputs.append(name)
    return inputs


def _is_bound_first(selection: _Selection, name: str, bound: list[Definition]) -> bool:
    """Whether the statements give the name a meaning before they read it."""
    inside = [m for m in mentions(selection.source, name) if selection.has(m.node)]
    inside = [m for m in inside if not m.is_member]
    first = min(inside, key=lambda mention: mention.start)
    owner = next((d for d in bound if d.name_node.id == first.node.id), None)
    if owner is None or owner.node.type == "augmented_assignment":
        return False
    statement = owner.node
    right = statement.child_by_field_name("right") or statement.child_by_field_name("value")
    reads = right is not None and any(right.start_byte <= m.start < right.end_byte for m in inside)
    is_sure = statement.parent is not None and (
        statement.parent.id == (selection.first.parent.id if selection.first.parent else -1)
        or statement.parent.parent == selection.first.parent
    )
    return not reads and is_sure


def _outputs(selection: _Selection) -> list[str]:
    """Names that the statements bind, and that are read behind them or in a loop again."""
    function = selection.function
    scope = function.node if function else selection.source.tree.root_node
    outputs = []
    for name in _names_in(selection):
        bound = [d for d in definitions(selection.source, name) if selection.has(d.name_node)]
        bound = [d for d in bound if d.scope == (function.node if function else None)]
        behind = [
            m
            for m in mentions(selection.source, name)
            if not m.is_member and scope.start_byte <= m.start < scope.end_byte
            if m.start >= selection.last.end_byte or _loops_back(selection, m.start)
        ]
        if bound and behind:
            outputs.append(name)
    return outputs


def _loops_back(selection: _Selection, at: int) -> bool:
    """Whether an offset in front of the statements comes after them in a loop's next round."""
    above = selection.first.parent
    while above is not None and not is_function(above):
        if above.type in _LOOPS and above.start_byte <= at < selection.first.start_byte:
            return True
        above = above.parent
    return False


def _self_of(selection: _Selection, inputs: list[str]) -> str:
    """`self` or `cls`, if the statements are of a method and use it."""
    function = selection.function
    is_python = selection.source.language == "python"
    if function is None or not function.is_member or not is_python:
        return ""
    return next((name for name in ("self", "cls") if name in inputs), "")


def _python(
    selection: _Selection, name: str, inputs: list[str], outputs: list[str], self_name: str
) -> tuple[str, str]:
    """The definition of the function, and the call in place of the statements."""
    returns = selection.last.type == "return_statement"
    body = selection.text()
    is_async = re.search(r"\bawait\b|\basync (for|with)\b", body) is not None
    parameters = [self_name, *(n for n in inputs if n != self_name)] if self_name else inputs
    step = "    "
    outer = _column(selection) if self_name else ""
    head = f"{outer}{'async ' * is_async}def {name}({', '.join(parameters)}):\n"
    lines = textwrap.indent(body, outer + step)
    result = f"\n{outer}{step}return {', '.join(outputs)}" if outputs and not returns else ""
    given = ", ".join(n for n in inputs if n != self_name)
    called = f"{'await ' * is_async}{f'{self_name}.' if self_name else ''}{name}({given})"
    lead = "return " if returns else f"{', '.join(outputs)} = " if outputs else ""
    return f"{head}{lines}{result}\n", f"{selection.indent}{lead}{called}"


def _column(selection: _Selection) -> str:
    """The indentation of the function around."""
    assert selection.function is not None
    node, data = selection.function.node, selection.source.data
    line = data[data.rfind(b"\n", 0, node.start_byte) + 1 : node.start_byte].decode()
    return line if not line.strip() else " " * (len(line) - len(line.lstrip()))


def _script(
    selection: _Selection, name: str, inputs: list[str], outputs: list[str], self_name: str
) -> tuple[str, str]:
    """The same of JavaScript and TypeScript."""
    body = selection.text()
    if re.search(r"\bthis\b|\barguments\b|\bsuper\b", body):
        raise MidlineError(
            "the lines use this, which another function does not have; select others"
        )
    if selection.source.language != "javascript" and inputs:
        parameters = ", ".join(f"{n}: {_type_of(selection, n)}" for n in inputs)
    else:
        parameters = ", ".join(inputs)
    is_async = re.search(r"\bawait\b", body) is not None
    returns = selection.last.type == "return_statement"
    given = f"{'await ' * is_async}{name}({', '.join(inputs)})"
    result = ", ".join(outputs) if len(outputs) == 1 else f"{{ {', '.join(outputs)} }}"
    back = f"\n  return {result};" if outputs and not returns else ""
    assigned = [n for n in outputs if n in inputs]
    if assigned and len(assigned) < len(outputs):
        raise MidlineError("the lines change one variable and declare another; select fewer lines")
    lead = "return " if returns else ""
    if outputs and not returns:
        lead = f"{result} = " if assigned else f"const {result} = "
        if assigned and len(outputs) > 1:
            lead, given = f"({lead}", f"{given})"
    head = f"{'async ' * is_async}function {name}({parameters}) {{\n"
    return f"{head}{textwrap.indent(body, '  ')}{back}\n}}\n", f"{selection.indent}{lead}{given};"


def _type_of(selection: _Selection, name: str) -> str:
    """The type that a name of the function around is declared with, or else `any`."""
    function = selection.function
    for found in definitions(selection.source, name):
        if function is None or found.scope != function.node:
            continue
        node = found.node if found.node.type.endswith("declarator") else found.name_node.parent
        declared = node.child_by_field_name("type") if node is not None else None
        if declared is not None and node is not None and node.type != "optional_parameter":
            return text_of(declared).removeprefix(":").strip()
    return "any"


def _constant(source: SourceFile, lines: tuple[int, int], name: str) -> Edit:
    """The one literal on the lines, named at the top of the file."""
    found, waiting = [], [source.tree.root_node]
    while waiting:
        node = waiting.pop()
        if node.end_point[0] < lines[0] - 1 or node.start_point[0] > lines[1] - 1:
            continue
        if node.type in _LITERALS:
            found.append(node)
        else:
            waiting += node.children
    texts = {text_of(node) for node in found}
    if len(texts) != 1:
        what = "no number or text" if not texts else "several numbers and texts"
        raise QuestionError(f"there are {what} on the line; which value is it to be?")
    top = _behind_imports(source)
    keyword, end = ("", "\n") if source.language == "python" else ("const ", ";\n")
    edits = [TextEdit(source.path, n.start_byte, n.end_byte, name.encode()) for n in found]
    gap = "\n" if source.data[:top].strip() else ""
    text = f"{gap}{keyword}{name} = {texts.pop()}{end}"
    return Edit(f"{name} is a constant", (TextEdit(source.path, top, top, text.encode()), *edits))


def _behind_imports(source: SourceFile) -> int:
    """Offset of the line behind the last import at the top, or the first behind a docstring."""
    at = 0
    for number, node in enumerate(source.tree.root_node.named_children):
        is_text = (
            number == 0
            and node.type == "expression_statement"
            and bool(node.named_children and node.named_children[0].type == "string")
        )
        if not (is_text or "import" in node.type or node.type in ("comment", "hash_bang_line")):
            break
        at = source.data.find(b"\n", node.end_byte) + 1 or len(source.data)
    return at
