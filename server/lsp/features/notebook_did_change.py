"""notebookDocument/didChange: cells come, go, move and are edited."""

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from lsprotocol import types

from midline.server.lsp.features.did_change import did_change
from midline.server.lsp.features.did_close import close_document
from midline.server.lsp.features.notebook_did_open import cell_of, open_cells

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer

LOGGER = logging.getLogger(__name__)


def notebook_did_change(ls: "MidlineServer", params: types.DidChangeNotebookDocumentParams) -> None:
    """Bring the notebook and its cells to their new version."""
    name = params.notebook_document
    book = ls.session.notebooks.get(name.uri)
    if book is None:
        LOGGER.warning("a change of %s, which is not open", name.uri)
        return
    book, change = replace(book, version=name.version), params.change.cells
    if change is None:
        return
    if change.structure is not None:
        array = change.structure.array
        cells = tuple(map(cell_of, array.cells or ()))
        book = book.spliced(array.start, array.delete_count, cells)
        open_cells(ls, change.structure.did_open or ())
        for closed in change.structure.did_close or ():
            close_document(ls, closed.uri)
    book = book.with_kinds(tuple(map(cell_of, change.data or ())))
    ls.session.notebooks[name.uri] = book
    for content in change.text_content or ():
        did_change(ls, types.DidChangeTextDocumentParams(content.document, content.changes))
