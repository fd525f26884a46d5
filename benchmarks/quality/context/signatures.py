"""Signatures of the functions and types of files that a file imports.

An editor that opens a folder lets a completion know what is declared in files that are not open.
Whole files are long; the heads of their definitions are short.
"""

import re
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from midline.model.completion.context_chunks import CHUNK_LINES, ContextChunk
from midline.model.completion.syntax import language_of, parser

if TYPE_CHECKING:
    from tree_sitter import Node

MOST_IN_HEAD = 240
"""Characters of one signature."""
_IMPORT = re.compile(
    r"^\s*(?:from|import|export|use|using|require\w*|include\w*|mod|#\s*include|const .*require|"
    r"\}\s*from|@import)\b.*$",
    re.MULTILINE,
)
_GROUP = re.compile(r"^(?:import|from [\w.]+ import|use [\w:]+)\s*\{?\(?[^)}]*[)}]", re.MULTILINE)
_PATHS = re.compile(r"[\w@][\w@./:-]*|\.+[\w/.-]+")
_SEPARATORS = re.compile(r"::|[./\\]+")
_DEFINED = ("function", "method", "class", "struct", "interface", "trait", "impl", "constructor",
            "enum", "object", "module", "type_spec")  # fmt: skip
_CALLED = ("function", "method", "constructor")
_DEPTH = 3
"""Classes within each other whose members are looked at."""
_WITHIN_FOLDER = frozenset(("go", "java", "kotlin", "scala", "swift"))
"""Languages in which the files of a folder know each other without an import."""
_INDEX = frozenset(("__init__", "index", "mod", "lib", "main", "init"))


def imported(name: str, text: str, others: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """Those of `others` (path, text) of the same language that `text`, in file `name`, imports."""
    language = language_of(name)
    named = _imported_names(text)
    folder = name.rpartition("/")[0]
    return [
        (other, content)
        for other, content in others
        if language_of(other) == language
        and (
            (language in _WITHIN_FOLDER and other.rpartition("/")[0] == folder)
            or _is_named(other, named)
        )
    ]


def _imported_names(text: str) -> set[tuple[str, ...]]:
    """The dotted and slashed names of import lines, in parts."""
    found: set[tuple[str, ...]] = set()
    for pattern in (_IMPORT, _GROUP):
        for line in pattern.findall(text):
            for path in _PATHS.findall(line):
                parts = tuple(part for part in _SEPARATORS.split(path) if part)
                if parts:
                    found.add(parts)
    return found


def _is_named(path: str, named: set[tuple[str, ...]]) -> bool:
    """Whether some imported name ends, or ends but for its last part, as the file's path does."""
    *folders, last = path.split("/")
    stem = last.split(".")[0]
    parts = (*folders, stem) if stem not in _INDEX or not folders else tuple(folders)
    if len(parts[-1]) < 2:
        return False
    extension = last.rpartition(".")[2]
    for name in named:
        bare = name[:-1] if name[-1] == extension else name
        for end in (bare, bare[:-1]):
            size = min(len(end), len(parts))
            if size and end[-size:] == parts[-size:]:
                return True
    return False


def signature_chunks(name: str, text: str) -> Iterator[ContextChunk]:
    """The signatures of a file, in chunks of at most `CHUNK_LINES`; none without a grammar."""
    language = language_of(name)
    parses = parser(language) if language else None
    if parses is None:
        return
    heads = list(_heads(parses.parse(text.encode("utf-8", "replace")).root_node, 0))
    for _, some in groupby(enumerate(heads), lambda pair: pair[0] // CHUNK_LINES):
        yield ContextChunk(name, "\n".join(head for _, head in some) + "\n")


def _heads(node: "Node", depth: int) -> Iterator[str]:
    """The heads of the definitions within a node; those within functions are left out."""
    for child in node.named_children:
        body = child.child_by_field_name("body")
        if body is None or not any(kind in child.type for kind in _DEFINED):
            if depth < _DEPTH:
                yield from _heads(child, depth)
            continue
        head = (child.text or b"")[: body.start_byte - child.start_byte].decode("utf-8", "replace")
        head = " ".join(head.split())[:MOST_IN_HEAD]
        if head.strip("({[ "):
            yield "    " * depth + head
        if not any(kind in child.type for kind in _CALLED):
            yield from _heads(body, depth + 1)
