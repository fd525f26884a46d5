"""textDocument/didClose: the client closes a document."""

from typing import TYPE_CHECKING

from lsprotocol import types

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


def did_close(ls: "MidlineServer", params: types.DidCloseTextDocumentParams) -> None:
    """Let go of the document and of work on it."""
    ls.session.close(params.text_document.uri)
    ls.engine.stop_idle(params.text_document.uri)
