"""notebookDocument/didOpen: the client opens a notebook with all its cells."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from lsprotocol import types

from midline.server.documents import Document
from midline.server.notebooks import CODE, Cell, Notebook

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


def notebook_did_open(ls: "MidlineServer", params: types.DidOpenNotebookDocumentParams) -> None:
    """Take the notebook and the documents of its cells into the session."""
    book = params.notebook_document
    open_cells(ls, params.cell_text_documents)
    ls.session.notebooks[book.uri] = Notebook(
        book.uri, book.notebook_type, book.version, tuple(map(cell_of, book.cells))
    )


def open_cells(ls: "MidlineServer", items: Sequence[types.TextDocumentItem]) -> None:
    """Take the documents of cells into the session."""
    for item in items:
        ls.session.open(Document(item.uri, item.text, str(item.language_id), item.version))


def cell_of(cell: types.NotebookCell) -> Cell:
    """A cell as Midline keeps it."""
    return Cell(cell.document, int(cell.kind) == CODE)
