"""The marked cursors of `projects/`: small projects with marked pieces to complete.

In a file, `«a + b¦b + a»` marks a piece with its accepted texts, the original first. A case removes
one piece and leaves all others in place.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from midline.model.errors import MidlineError

PROJECTS = Path(__file__).resolve().parent / "projects"
_PIECE = re.compile(r"«(.*?)»", re.DOTALL)
_SUFFIX = ".txt"


@dataclass(frozen=True)
class CursorCase:
    """One cursor: what is around it, what may stand there, and the project's other files."""

    project: str
    file: str
    line: int
    column: int
    before: str
    after: str
    expected: tuple[str, ...]
    others: tuple[tuple[str, str], ...]

    @property
    def language(self) -> str:
        """The part of the project's name before the hyphen."""
        return self.project.partition("-")[0]

    @property
    def place(self) -> str:
        """Project, file, line and column, both from 1."""
        return f"{self.project}/{self.file}:{self.line}:{self.column}"


def load_cases(folder: Path = PROJECTS) -> list[CursorCase]:
    """Every case, by project, file and place."""
    cases: list[CursorCase] = []
    for project in sorted(path for path in folder.iterdir() if path.is_dir()):
        marked = {
            path.name.removesuffix(_SUFFIX): path.read_text("utf-8")
            for path in sorted(project.glob(f"*{_SUFFIX}"))
        }
        for name, text in marked.items():
            others = tuple((other, whole(text)) for other, text in marked.items() if other != name)
            cases += _cases(project.name, name, text, others)
    return cases


def whole(text: str) -> str:
    """A marked text with every piece in its place."""
    return _PIECE.sub(lambda match: match.group(1).split("¦")[0], text)


def _cases(
    project: str, name: str, text: str, others: tuple[tuple[str, str], ...]
) -> Iterator[CursorCase]:
    if any(mark in _PIECE.sub("", text) for mark in "«»¦"):
        raise MidlineError(f"{project}/{name} has a mark that is not closed; close it")
    for match in _PIECE.finditer(text):
        before, after = whole(text[: match.start()]), whole(text[match.end() :])
        yield CursorCase(
            project=project,
            file=name,
            line=before.count("\n") + 1,
            column=len(before) - before.rfind("\n"),
            before=before,
            after=after,
            expected=tuple(match.group(1).split("¦")),
            others=others,
        )
