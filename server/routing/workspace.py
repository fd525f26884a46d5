"""The texts of a project: files on disk, and documents as they are open in an editor."""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from midline.model.completion.syntax import MAX_BYTES, language_of, parser
from midline.server.context.projects import Project, project_of
from midline.server.documents import from_bytes, to_bytes

if TYPE_CHECKING:
    from tree_sitter import Tree

MAX_FILES = 20_000
_SKIPPED = frozenset(
    {".git", ".hg", ".svn", "node_modules", "__pycache__", ".venv", "venv", ".tox", ".mypy_cache"}
)


@dataclass(frozen=True)
class SourceFile:
    """A file that has a grammar, its bytes and its syntax tree."""

    path: Path
    language: str
    data: bytes
    tree: "Tree"

    def line_of(self, offset: int) -> int:
        """Number (from 1) of the line that the byte at `offset` is in."""
        return self.data.count(b"\n", 0, offset) + 1

    def line_range(self, first: int, last: int) -> tuple[int, int]:
        """Offsets of the lines from `first` to `last`, both counted from 1 and included."""
        lines = self.data.splitlines(keepends=True)
        return sum(map(len, lines[: first - 1])), sum(map(len, lines[:last]))


@dataclass
class Workspace:
    """The files below `root`; `open_texts` are those that an editor has open, by their paths.

    Texts are read when they are first asked for, and parsed once.
    """

    root: Path
    open_texts: Mapping[Path, str] = field(default_factory=dict)
    _parsed: dict[Path, SourceFile | None] = field(default_factory=dict)
    _paths: list[Path] | None = None

    @classmethod
    def around(cls, path: Path, open_texts: Mapping[Path, str] | None = None) -> "Workspace":
        """The project that a file or folder belongs to, or else the folder itself."""
        path = path.absolute()
        project = project_of(path / "x" if path.is_dir() else path)
        root = project.root if project else path if path.is_dir() else path.parent
        return cls(root, open_texts or {})

    def name_of(self, path: Path) -> str:
        """How a path is shown: from the root on, if it lies below."""
        return path.relative_to(self.root).as_posix() if self.has(path) else str(path)

    def has(self, path: Path) -> bool:
        """Whether a path lies in the workspace."""
        return path.is_relative_to(self.root)

    def paths(self) -> list[Path]:
        """All files that no `.gitignore` names, at most `MAX_FILES`."""
        if self._paths is None:
            self._paths = sorted(_walk(self.root))[:MAX_FILES]
        return self._paths

    def data(self, path: Path) -> bytes | None:
        """The text of a file in UTF-8; None if it cannot be read or is larger than is parsed."""
        text = self.open_texts.get(path)
        if text is not None:
            return to_bytes(text)
        try:
            if path.stat().st_size > MAX_BYTES:
                return None
            data = path.read_bytes()
        except OSError:
            return None
        return None if b"\0" in data else data

    def text(self, path: Path) -> str | None:
        """The text of a file, None as `data` has it."""
        data = self.data(path)
        return None if data is None else from_bytes(data)

    def source(self, path: Path) -> SourceFile | None:
        """A file with its tree; None if it has no grammar or cannot be read."""
        if path not in self._parsed:
            self._parsed[path] = self._parse(path)
        return self._parsed[path]

    def _parse(self, path: Path) -> SourceFile | None:
        language = language_of(path.name)
        data = self.data(path) if language else None
        found = parser(language) if language else None
        if language is None or data is None or found is None:
            return None
        return SourceFile(path, language, data, found.parse(data))

    def sources_with(self, word: str) -> Iterator[SourceFile]:
        """The files with a grammar whose text has `word` in it."""
        needle = word.encode()
        for path in self.paths():
            if language_of(path.name) is None:
                continue
            data = self.data(path)
            if data is not None and needle in data:
                source = self.source(path)
                if source is not None:
                    yield source


def _walk(root: Path) -> Iterator[Path]:
    project = Project(root) if (root / ".git").exists() else None
    count = 0
    for folder, folders, files in os.walk(root):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED and not (project and project.ignores(here / name))
        )
        for name in files:
            path = here / name
            if project is None or not project.ignores(path):
                yield path
                count += 1
        if count >= MAX_FILES:
            return
