"""Notebooks: the order of their cells, and the cells of one language read as one text.

The text of a cell is a document of its own. A completion in a cell reads the code cells of the
same language before and after it, too; Markdown cells are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from midline.model.completion.languages import language_of_text
from midline.server.documents import Document

CODE = 2
"""NotebookCellKind of the protocol."""
BETWEEN = "\n\n"
"""What parts two cells: a line end and a blank line."""


@dataclass(frozen=True)
class Cell:
    """A cell by the name of its document, and whether it is code."""

    uri: str
    is_code: bool = True


@dataclass(frozen=True)
class Notebook:
    """One version of a notebook. Editing returns a new one."""

    uri: str
    kind: str = ""
    version: int = 0
    cells: tuple[Cell, ...] = ()

    def spliced(self, start: int, count: int, cells: Sequence[Cell]) -> "Notebook":
        """With `cells` in place of the `count` ones from `start` on."""
        start, end = max(0, start), max(0, start) + max(0, count)
        return replace(self, cells=(*self.cells[:start], *cells, *self.cells[end:]))

    def with_kinds(self, cells: Sequence[Cell]) -> "Notebook":
        """With what `cells` say of the cells of the same name."""
        known = {cell.uri: cell for cell in cells}
        return replace(self, cells=tuple(known.get(cell.uri, cell) for cell in self.cells))

    def has(self, uri: str) -> bool:
        """Whether a document is one of its cells."""
        return any(cell.uri == uri for cell in self.cells)

    def joined(self, own: Document, documents: Mapping[str, Document]) -> tuple[Document, int]:
        """The cell `own` with the code of its language around it, and where its text begins."""
        language = _language(own)
        before: list[str] = []
        behind: list[str] = []
        found = before
        for cell in self.cells:
            other = documents.get(cell.uri)
            if cell.uri == own.uri:
                found = behind
            elif other is not None and cell.is_code and _language(other) == language:
                found += [other.text] if other.text.strip() else []
        head = "".join(f"{text}{BETWEEN}" for text in before)
        tail = "".join(f"{BETWEEN}{text}" for text in behind)
        return replace(own, text=f"{head}{own.text}{tail}"), len(head)


def notebook_of(uri: str, notebooks: Mapping[str, Notebook]) -> Notebook | None:
    """The notebook that a document is a cell of, None for one that is none."""
    return next((book for book in notebooks.values() if book.has(uri)), None)


def whole(
    document: Document, notebooks: Mapping[str, Notebook], documents: Mapping[str, Document]
) -> tuple[Document, int]:
    """A cell with the code around it in its notebook, and where its own text begins.

    A document that is no cell is whole by itself.
    """
    book = notebook_of(document.uri, notebooks)
    return (document, 0) if book is None else book.joined(document, documents)


def _language(document: Document) -> str:
    return language_of_text(document.name, document.language)
