"""textDocument/didChange: applies edits in order."""

import logging
import time
from typing import TYPE_CHECKING

from lsprotocol import types

from midline.server.documents import Document, PositionEncoding

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer

LOGGER = logging.getLogger(__name__)


def did_change(ls: "MidlineServer", params: types.DidChangeTextDocumentParams) -> None:
    """Replace the document with its new version; work that disagrees with it is abandoned."""
    session, uri = ls.session, params.text_document.uri
    document = session.documents.get(uri)
    if document is None:
        LOGGER.warning("a change of %s, which is not open", uri)
        return
    for change in params.content_changes:
        document = _changed(document, change, params.text_document.version, session.encoding)
    is_line_end = any("\n" in change.text for change in params.content_changes)
    ls.rhythm.key(time.perf_counter(), ends_line=is_line_end)
    ls.pauses.stop()
    session.edit(document)


def _changed(
    document: Document,
    change: types.TextDocumentContentChangeEvent,
    version: int,
    encoding: PositionEncoding,
) -> Document:
    if isinstance(change, types.TextDocumentContentChangeWholeDocument):
        return Document(document.uri, change.text, document.language, version)
    start, end = change.range.start, change.range.end
    return document.edited(
        document.offset(start.line, start.character, encoding),
        document.offset(end.line, end.character, encoding),
        change.text,
        version,
    )
