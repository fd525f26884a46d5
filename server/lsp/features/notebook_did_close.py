"""notebookDocument/didClose: the client closes a notebook with all its cells."""

from typing import TYPE_CHECKING

from lsprotocol import types

from midline.server.lsp.features.did_close import close_document

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


def notebook_did_close(ls: "MidlineServer", params: types.DidCloseNotebookDocumentParams) -> None:
    """Let go of the notebook and of the documents of its cells."""
    book = ls.session.notebooks.pop(params.notebook_document.uri, None)
    named = [cell.uri for cell in book.cells] if book else []
    for uri in dict.fromkeys([*(item.uri for item in params.cell_text_documents), *named]):
        close_document(ls, uri)
