"""textDocument/inlineCompletion: ghost text at the cursor."""

from typing import TYPE_CHECKING

from lsprotocol import types

from midline.server.lsp.answering import refusal, watched_suggestions
from midline.server.lsp.renewal import Asked
from midline.server.lsp.session import Snapshot

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


async def inline_completion(
    ls: "MidlineServer", params: types.InlineCompletionParams
) -> types.InlineCompletionList:
    """Completions at the position.

    An empty list if there are none, because editors keep the text they show on null.
    """
    selected = params.context.selected_completion_info
    if selected is None:
        written, span = "", types.Range(params.position, params.position)
    else:
        written, span = selected.text, selected.range
    snapshot = _snapshot(ls, params.text_document.uri, span, written)
    if snapshot is None:
        ls.status.refused(refusal(ls.session, params.text_document.uri))
        return types.InlineCompletionList([])
    automatic = params.context.trigger_kind is types.InlineCompletionTriggerKind.Automatic
    document = ls.session.completable(params.text_document.uri)
    answer = await watched_suggestions(ls, snapshot, automatic=automatic, anew=not automatic)
    is_here = document is ls.session.completable(params.text_document.uri)
    if automatic and selected is None and document and is_here and answer.plan is not None:
        text = answer.suggestions[0].text if answer.suggestions else ""
        ls.pauses.answered(snapshot, Asked(document.uri, document.version, params.position), text)
    items = [
        types.InlineCompletionItem(insert_text=written + suggestion.text, range=span)
        for suggestion in answer.suggestions
    ]
    return types.InlineCompletionList(items)


def _snapshot(ls: "MidlineServer", uri: str, span: types.Range, written: str) -> Snapshot | None:
    """The document as if `span` had already become `written`, with the cursor behind it."""
    document = ls.session.completable(uri)
    if document is None:
        return None
    encoding = ls.session.encoding
    start = document.offset(span.start.line, span.start.character, encoding)
    end = document.offset(span.end.line, span.end.character, encoding)
    if written or end > start:
        document = document.edited(start, end, written, document.version)
    return ls.session.snapshot(document, start + len(written))
