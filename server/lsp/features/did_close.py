"""textDocument/didClose: the client closes a document."""

from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


def did_close(ls: "MidlineServer", params: types.DidCloseTextDocumentParams) -> None:
    """Let go of the document and of work on it."""
    close_document(ls, params.text_document.uri)


def close_document(ls: "MidlineServer", uri: str) -> None:
    """Let go of the document of this name, be it a file or a cell of a notebook."""
    ls.session.close(uri)
    ls.engine.stop_idle(uri)
