"""textDocument/didOpen: the client opens a document."""

from typing import TYPE_CHECKING

from lsprotocol import types

from midline.server.documents import Document

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


def did_open(ls: "MidlineServer", params: types.DidOpenTextDocumentParams) -> None:
    """Take the document into the session."""
    item = params.text_document
    ls.session.open(Document(item.uri, item.text, str(item.language_id), item.version))
