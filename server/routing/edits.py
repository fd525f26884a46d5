"""Edits of files: as a diff to look at, as texts to write, as an LSP WorkspaceEdit."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from midline.model.atomic_write import atomic_write
from midline.model.completion.syntax import count_errors, language_of, parser
from midline.model.errors import MidlineError
from midline.server.documents import from_bytes
from midline.server.routing.workspace import Workspace


@dataclass(frozen=True, slots=True)
class TextEdit:
    """The bytes of `path` from `start` up to `end` become `text`."""

    path: Path
    start: int
    end: int
    text: bytes


@dataclass(frozen=True)
class Edit:
    """Edits of files that belong together, and a sentence that says what they do.

    created: files that there are not yet, whose whole text is their edit's.
    """

    summary: str
    edits: tuple[TextEdit, ...]
    created: frozenset[Path] = frozenset()

    def paths(self) -> list[Path]:
        """The files that change, in order."""
        return sorted({edit.path for edit in self.edits})


def changed_texts(edit: Edit, workspace: Workspace) -> dict[Path, tuple[bytes, bytes]]:
    """The bytes of every file before and after the edit.

    Raises MidlineError for a file that cannot be read any more.
    """
    changed = {}
    for path in edit.paths():
        before = b"" if path in edit.created else workspace.data(path)
        if before is None:
            raise MidlineError(f"{path} cannot be read; nothing was changed")
        after = before
        own = sorted((e for e in edit.edits if e.path == path), key=lambda e: (-e.start, -e.end))
        for change in own:
            after = after[: change.start] + change.text + after[change.end :]
        changed[path] = before, after
    return changed


def check_syntax(changed: Mapping[Path, tuple[bytes, bytes]]) -> None:
    """Raises MidlineError if a file that parsed would not any more."""
    for path, (before, after) in changed.items():
        language = language_of(path.name)
        found = parser(language) if language else None
        if found is None:
            continue
        if count_errors(found.parse(after)) > count_errors(found.parse(before)):
            raise MidlineError(f"{path.name} would not parse any more; nothing was changed")


def diff_of(edit: Edit, workspace: Workspace) -> str:
    """The edit as a unified diff that `git apply` and `patch -p1` take."""
    pieces: list[str] = []
    for path, (before, after) in changed_texts(edit, workspace).items():
        name = workspace.name_of(path)
        old = "/dev/null" if path in edit.created else f"a/{name}"
        for line in difflib.unified_diff(
            _lines(before), _lines(after), old, f"b/{name}", lineterm="\n"
        ):
            pieces.append(
                line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
            )
    return "".join(pieces)


def _lines(data: bytes) -> list[str]:
    return from_bytes(data).splitlines(keepends=True)


def apply(edit: Edit, workspace: Workspace) -> None:
    """Write the files, all of them checked before the first is written; MidlineError if one fails.

    A byte order mark stays.
    """
    changed = changed_texts(edit, workspace)
    check_syntax(changed)
    for path, (before, _) in changed.items():
        if path not in edit.created and path.read_bytes() != before:
            raise MidlineError(f"{path} has changed meanwhile; run the command again")
        if path in edit.created and path.exists():
            raise MidlineError(f"{path} exists; move it away or name another file")
    for path, (_, after) in changed.items():
        try:
            atomic_write(path, after)
        except OSError as error:
            raise MidlineError(f"{path} cannot be written: {error.strerror}") from error
