"""Code of the model in place of code of a file, as small an edit as it can be."""

import re
import textwrap
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from midline.model.completion.syntax import language_of, parser
from midline.model.errors import MidlineError
from midline.server.documents import from_bytes, to_bytes
from midline.server.routing.actions.code_blocks import not_valid
from midline.server.routing.edits import Edit, TextEdit, changed_texts, check_syntax
from midline.server.routing.targets import Target
from midline.server.routing.workspace import Workspace

if TYPE_CHECKING:
    from tree_sitter import Tree

_NEAR = 1
"""Lines from the one with the problem that a change may be away from it."""


def rewritten(
    target: Target, code: str, workspace: Workspace, line: str = ""
) -> tuple[TextEdit, ...]:
    """The lines of the target that `code` has otherwise, indented as the target is.

    line: the number of the line that the change is for; changes elsewhere are left out where the
    file parses without them. Raises MidlineError for what is no code, defines something else, or
    changes nothing.
    """
    name = target.definition.name if target.definition else ""
    if name and not re.search(rf"\b{re.escape(name)}\b", code):
        raise MidlineError(
            f"the model's answer does not define {name}, and nothing was changed; try again"
        )
    data = workspace.data(target.path) or b""
    start = data.rfind(b"\n", 0, target.start) + 1
    if data[start : target.start].strip():
        start = target.start
    old = from_bytes(data[start : target.end])
    new = _laid_out(code, old, "\r\n" if "\r\n" in old else "\n")
    edits = _line_edits(target, start, old, new)
    every = tuple(edit for edit, _, _ in edits)
    if not every or _changes_only_comments(target, every, workspace):
        raise MidlineError("the model found nothing to change; try again, or say what is wrong")
    if line:
        first = data.count(b"\n", 0, start)
        number = int(line) - 1 - first
        near = tuple(
            edit for edit, first, last in edits if first - _NEAR <= number <= last - 1 + _NEAR
        )
        if near and _is_sound(target, near, workspace):
            return near
    if not _is_sound(target, every, workspace):
        raise not_valid(language_of(target.path.name) or "code")
    return every


def _laid_out(code: str, old: str, line_end: str) -> str:
    """The code with the indentation, the line ends and the end of what it replaces."""
    first = next((line for line in old.splitlines() if line.strip()), "")
    indent = first[: len(first) - len(first.lstrip())]
    text = textwrap.indent(textwrap.dedent(code).strip("\n"), indent)
    if old.endswith(("\n", "\r")):
        text += "\n"
    return text.replace("\n", line_end)


def _line_edits(target: Target, start: int, old: str, new: str) -> list[tuple[TextEdit, int, int]]:
    """The edits that turn `old` into `new`, each with its first line and that behind its last."""
    before, after = old.splitlines(keepends=True), new.splitlines(keepends=True)
    found = []
    for kind, i, j, k, m in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if kind != "equal":
            at = start + len(to_bytes("".join(before[:i])))
            end = start + len(to_bytes("".join(before[:j])))
            found.append((TextEdit(target.path, at, end, to_bytes("".join(after[k:m]))), i, j))
    return found


def _changes_only_comments(
    target: Target, edits: tuple[TextEdit, ...], workspace: Workspace
) -> bool:
    """Whether the code is the same before and after, comments and layout left out."""
    language = language_of(target.path.name)
    found = parser(language) if language else None
    if found is None:
        return False
    before, after = changed_texts(Edit("", edits), workspace)[target.path]
    return list(_code_in(found.parse(before))) == list(_code_in(found.parse(after)))


def _code_in(tree: "Tree") -> Iterator[bytes]:
    """The texts of the leaves of a tree that are no comments, and where blocks begin and end."""
    waiting = [(tree.root_node, 0)]
    while waiting:
        node, depth = waiting.pop()
        if "comment" in node.type:
            continue
        if node.child_count:
            waiting += [(child, depth + 1) for child in reversed(node.children)]
        else:
            yield b"%d %b" % (depth, node.text or b"")


def _is_sound(target: Target, edits: tuple[TextEdit, ...], workspace: Workspace) -> bool:
    try:
        check_syntax(changed_texts(Edit("", edits), workspace))
    except MidlineError:
        return False
    return True
