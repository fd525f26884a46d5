"""Slots resolved against the project: paths, symbols and lines; what does not resolve is asked for.

"This" is where the cursor is (`Cursor`), if the caller knows.
"""

import difflib
import re
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from midline.server.routing.definitions import (
    Definition,
    definition_at,
    definitions,
    is_defined,
    outline,
    project_definitions,
)
from midline.server.routing.frame import Frame
from midline.server.routing.outcome import QuestionError
from midline.server.routing.workspace import SourceFile, Workspace

_SHOWN = 5
_WRAPPERS = frozenset(
    {"decorated_definition", "export_statement", "lexical_declaration", "template_declaration"}
)
_RANGE = re.compile(r"(\d+)(?:\D+(\d+))?")
_FAILURE = re.compile(r"\w*[a-z](?:Error|Exception|Warning|Panic)")
"""Names that say what went wrong, not where."""
_CALL = re.compile(r"\(.*\)$")
_OBJECT = re.compile(
    r"\b(?:to|of|for|on|function|method|class)\s+(?:the\s+)?(?:function\s+|method\s+|class\s+)?"
    r"([A-Za-z_]\w*)(?!\w*[./\\])"
)
_WITHIN = re.compile(
    r"\bin\s+(?:the\s+)?(?:function\s+|method\s+|class\s+)?([A-Za-z_]\w*)(?!\w*[./\\])"
)
_OBJECT_BEFORE = re.compile(r"([A-Za-z_]\w*)(?:\(\))?\s+(?:function|method|class)\b")
"""What a sentence is about, where a preposition or the kind of it tells."""


@dataclass(frozen=True)
class Cursor:
    """Where the user is: a file, and its lines from `first` to `last`, counted from 1."""

    path: Path
    first: int = 1
    last: int = 1
    is_selection: bool = False


@dataclass(frozen=True)
class Target:
    """A stretch of a file: bytes from `start` to `end`; the definition it is, if it is one."""

    path: Path
    start: int
    end: int
    definition: Definition | None = None
    lines: tuple[int, int] | None = None

    def text(self, workspace: Workspace, *, dedented: bool = False) -> str:
        """Its text, on request without the indentation that all its lines have."""
        data, start = workspace.data(self.path) or b"", self.start
        line_start = data.rfind(b"\n", 0, start) + 1
        if dedented and not data[line_start:start].strip():
            start = line_start
        text = data[start : self.end].decode("utf-8", "replace")
        return textwrap.dedent(text) if dedented else text


@dataclass(frozen=True)
class Resolver:
    """Resolves the slots of a frame in a workspace."""

    workspace: Workspace
    frame: Frame
    cursor: Cursor | None = None

    def path(self) -> Path | None:
        """The file or folder that the frame names; None if it names none.

        Raises QuestionError for one that there is not, or that several are called.
        """
        name = self.frame["path"]
        if not name:
            return None
        found = self._paths_called(name)
        if len(found) == 1:
            return found[0]
        if not found:
            near = self._similar_paths(name)
            raise QuestionError(f"there is no {name} in this project{near}; which file is meant?")
        raise QuestionError(
            f"{len(found)} files are called {name} "
            f"({_listed([self.workspace.name_of(p) for p in found])}); which one is meant?"
        )

    def _paths_called(self, name: str) -> list[Path]:
        given = Path(name).expanduser()
        roots = [self.workspace.root, *([self.cursor.path.parent] if self.cursor else [])]
        for candidate in [given] if given.is_absolute() else [root / given for root in roots]:
            if candidate.exists():
                return [candidate.resolve()]
        wanted = name.replace("\\", "/").lstrip("./").lower()
        paths = self.workspace.paths()
        shown = [(path, self.workspace.name_of(path).lower()) for path in paths]
        found = [p for p, text in shown if text == wanted or text.endswith(f"/{wanted}")]
        if not found and "." not in wanted:
            found = [p for p, _ in shown if p.stem.lower() == wanted]
        if not found:
            folders = sorted({p.parent for p in paths if p.parent.name.lower() == wanted})
            found = folders
        return found or _with_spaces(self.frame.text, shown, wanted)

    def _similar_paths(self, name: str) -> str:
        names = sorted({path.name for path in self.workspace.paths()})
        near = difflib.get_close_matches(Path(name).name, names, 1)
        return f", but there is {near[0]}" if near else ""

    def lines(self) -> tuple[int, int] | None:
        """The first and the last line that the frame names, counted from 1."""
        match = _RANGE.search(self.frame["line"])
        if match is None:
            return None
        first = int(match[1][:9])
        last = int((match[2] or match[1])[:9])
        return min(first, last), max(first, last)

    def file(self, purpose: str) -> Path:
        """The file that the frame or the cursor names; QuestionError where neither does."""
        path = self.path() or (self.cursor.path if self.cursor else None)
        if path is None:
            raise QuestionError(f"which file is to be {purpose}?")
        if path.is_dir():
            raise QuestionError(f"{self.frame['path']} is a folder; which file in it is meant?")
        return path

    def source(self, path: Path) -> SourceFile | None:
        """The syntax of a file."""
        return self.workspace.source(path)

    def symbol(self) -> str:
        """The last part of the symbol's name: `add` of `Cart.add()`."""
        named = _place_of_failure(self) if _names_a_failure(self) else self.frame["symbol"]
        named = named or _object(self)
        return re.split(r"\.|::|->|#", _CALL.sub("", named).strip("$@&*"))[-1]

    def container(self) -> str:
        """The part before: `Cart` of `Cart.add`."""
        parts = re.split(r"\.|::|->|#", _CALL.sub("", self.frame["symbol"]))
        return parts[-2] if len(parts) > 1 else ""

    def definition(self) -> Definition | None:
        """What the symbol of the frame names; None if it names none.

        Raises QuestionError if nothing is called so, or several things are.
        """
        if not self.symbol():
            return None
        found = self.candidates()
        groups = {(d.source.path, d.scope.id if d.scope else None) for d in found}
        if len(groups) == 1:
            return found[0]
        if not found:
            raise QuestionError(self._unknown())
        places = [f"{self.workspace.name_of(d.source.path)}:{d.line}" for d in found]
        raise QuestionError(
            f"{self.frame['symbol']} is defined at {len(places)} places ({_listed(places)}); which "
            "one is meant? Name its file or its line"
        )

    def candidates(self) -> list[Definition]:
        """All definitions of the symbol that the other slots and the cursor allow."""
        path, name = self.path(), self.symbol()
        if path is not None and path.is_file():
            source = self.source(path)
            found = definitions(source, name) if source else []
        else:
            found = project_definitions(self.workspace, name)
            if path is not None:
                found = [d for d in found if d.source.path.is_relative_to(path)]
        found = self._narrowed(found)
        return found

    def _narrowed(self, found: list[Definition]) -> list[Definition]:
        """Those of the named class, on the named line, known outside of functions, of this file.

        Each of these only counts where something is left.
        """
        lines, cursor = self.lines(), self.cursor
        tests: list[Callable[[Definition], bool]] = []
        if self.container():
            tests.append(lambda d: d.container == self.container())
        if lines:
            tests.append(lambda d: lines[0] <= d.line <= lines[1] or _spans(d, lines[0]))
        if cursor and not self.frame["path"]:
            tests.append(lambda d: d.source.path == cursor.path)
            tests.append(lambda d: d.scope is not None and _spans_node(d, cursor.first))
        words = set(re.findall(r"\w+", self.frame.text)) - {self.symbol()}
        tests.append(lambda d: d.container in words)
        tests.append(lambda d: not d.is_local)
        tests.append(lambda d: not d.is_member)
        for test in tests:
            kept = [d for d in found if test(d)]
            found = kept or found
        return found

    def _unknown(self) -> str:
        where = f" in {self.frame['path']}" if self.frame["path"] else " in this project"
        names = self._known_names()
        near = difflib.get_close_matches(self.symbol(), names, 1)
        hint = f", but there is {near[0]}" if near else ""
        return f"nothing is called {self.frame['symbol']}{where}{hint}; which name is meant?"

    def _known_names(self) -> list[str]:
        path = self.path()
        paths = [path] if path and path.is_file() else self.workspace.paths()[:400]
        sources = (self.source(p) for p in paths)
        return sorted({d.name for source in sources if source for d in outline(source)})

    def target(self, purpose: str) -> Target:
        """What the frame is about: a symbol, lines, a file, or what is at the cursor.

        Raises QuestionError where that does not resolve.
        """
        definition = self.definition()
        if definition is not None:
            node = _with_decorators(definition)
            return Target(definition.source.path, node[0], node[1], definition)
        if not self.frame["path"] and self.cursor is None:
            raise QuestionError(f"which function or file is to be {purpose}?")
        path = self.file(purpose)
        data = self.workspace.data(path)
        if data is None:
            raise QuestionError(f"{path.name} cannot be read as a text; which file is meant?")
        lines, is_range = self.lines(), True
        if lines is None and self.cursor and not self.frame["path"]:
            lines, is_range = (self.cursor.first, self.cursor.last), self.cursor.is_selection
        if lines is None:
            return Target(path, 0, len(data))
        return self._lines_target(path, data, lines, is_range)

    def _lines_target(
        self, path: Path, data: bytes, lines: tuple[int, int], is_range: bool
    ) -> Target:
        count = data.count(b"\n") + 1
        if lines[0] < 1 or lines[0] > count:
            raise QuestionError(f"{path.name} has {count} lines and no line {lines[0]}; which one?")
        source = self.source(path)
        single = lines[0] == lines[1]
        around = definition_at(source, *lines) if source and (single or not is_range) else None
        if around is not None:
            start, end = _with_decorators(around)
            return Target(path, start, end, around, lines)
        kept = data.splitlines(keepends=True)
        start = sum(map(len, kept[: lines[0] - 1]))
        return Target(
            path, start, start + sum(map(len, kept[lines[0] - 1 : lines[1]])), None, lines
        )


def _with_spaces(said: str, shown: Sequence[tuple[Path, str]], ending: str) -> list[Path]:
    """Files whose names have spaces and stand in the sentence: a slot has the end of one."""
    said = said.lower()
    found = [
        (len(name), path)
        for path, text in shown
        for name in (text, path.name.lower())
        if " " in name and name.endswith(ending) and name in said
    ]
    longest = max((length for length, _ in found), default=0)
    return sorted({path for length, path in found if length == longest})


def _names_a_failure(resolver: Resolver) -> bool:
    """Whether the symbol is an exception of others: `fix this error: ValueError: ..`."""
    name = resolver.frame["symbol"]
    if resolver.frame.intent not in ("fix", "explain") or not _FAILURE.fullmatch(name):
        return False
    return not project_definitions(resolver.workspace, name)


def _place_of_failure(resolver: Resolver) -> str:
    """The name that the sentence has behind "in": `explain the ValueError in discount`."""
    words = _WITHIN.findall(resolver.frame.text)
    return next((word for word in words if is_defined(resolver.workspace, word)), "")


def _object(resolver: Resolver) -> str:
    """The one name of the frame's file that the sentence has as its object, or nothing.

    A plain word, as in "add a docstring to mean in stats.py", is known for a name by the file.
    """
    text = resolver.frame.text
    words = {*_OBJECT.findall(text), *_OBJECT_BEFORE.findall(text)}
    if not resolver.frame["path"] or not words:
        return ""
    path = resolver.path()
    source = resolver.source(path) if path is not None and path.is_file() else None
    found = words & {definition.name for definition in outline(source)} if source else set()
    return found.pop() if len(found) == 1 else ""


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")


def _spans(definition: Definition, line: int) -> bool:
    node = definition.node
    return node.start_point[0] + 1 <= line <= node.end_point[0] + 1


def _spans_node(definition: Definition, line: int) -> bool:
    scope = definition.scope
    return scope is not None and scope.start_point[0] + 1 <= line <= scope.end_point[0] + 1


def _with_decorators(definition: Definition) -> tuple[int, int]:
    """The bytes of a definition with its decorators, or its `export`."""
    node = definition.node
    above = node.parent
    while above is not None and (above.type in _WRAPPERS):
        node, above = above, above.parent
    return node.start_byte, node.end_byte
