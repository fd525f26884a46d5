"""Open documents by path: that of their file, or a made-up one for texts that are no files."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from midline.model.completion.languages import title
from midline.server.context.projects import file_path
from midline.server.documents import Document
from midline.server.routing.targets import Cursor


def path_of(document: Document) -> Path:
    """The path of a document's file; for an unsaved text one whose name tells the language."""
    path = file_path(document.uri)
    if path is not None:
        return path.resolve()
    scheme, _, rest = document.uri.partition(":")
    name = title(document.name or rest.rpartition("/")[2], document.language)
    return Path("/", scheme, "unsaved", name)


def documents_by_path(documents: Iterable[Document]) -> dict[Path, Document]:
    """Documents by `path_of`."""
    return {path_of(document): document for document in documents}


def cursor_of(path: Path, span: Any) -> Cursor:
    """The lines of a range; a selection that ends at a line's start does not have that line."""
    try:
        start, end = span["start"], span["end"]
        first, last = int(start["line"]) + 1, int(end["line"]) + 1
        is_selection = start != end
        if is_selection and last > first and int(end["character"]) == 0:
            last -= 1
    except (TypeError, KeyError, ValueError):
        return Cursor(path)
    return Cursor(path, first, max(first, last), is_selection)
