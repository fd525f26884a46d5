"""textDocument/completion: for clients that have no inline completions."""

import re
from typing import TYPE_CHECKING

from lsprotocol import types

from midline.server.documents import Document
from midline.server.lsp.answering import refusal, watched_suggestions

if TYPE_CHECKING:
    from midline.model.completion.ranking import Suggestion
    from midline.server.lsp.server import MidlineServer

_WORD = re.compile(r"\w*\Z")
_LABEL_LENGTH = 60


async def completion(
    ls: "MidlineServer", params: types.CompletionParams
) -> types.CompletionList | None:
    """The completions as items of the client's menu; None when there is nothing to say."""
    document = ls.session.completable(params.text_document.uri)
    if document is None:
        ls.status.refused(refusal(ls.session, params.text_document.uri))
        return None
    position = params.position
    offset = document.offset(position.line, position.character, ls.session.encoding)
    invoked = types.CompletionTriggerKind.Invoked
    automatic = params.context is not None and params.context.trigger_kind is not invoked
    snapshot = ls.session.snapshot(document, offset)
    answer = await watched_suggestions(ls, snapshot, automatic=automatic)
    if not answer.suggestions:
        return None
    items = [
        _item(ls, document, offset, rank, suggestion)
        for rank, suggestion in enumerate(answer.suggestions)
    ]
    return types.CompletionList(is_incomplete=True, items=items)


def _item(
    ls: "MidlineServer", document: Document, offset: int, rank: int, suggestion: "Suggestion"
) -> types.CompletionItem:
    """An item over the word in front of the cursor, so that the client's filter keeps it."""
    line_start = document.line_starts[document.line_number(offset)]
    word = _WORD.search(document.text[line_start:offset])
    start = line_start + (word.start() if word else offset - line_start)
    before = document.text[start:offset]
    text = before + suggestion.text
    first_line = text.strip().partition("\n")[0].rstrip()
    return types.CompletionItem(
        label=first_line[:_LABEL_LENGTH],
        kind=types.CompletionItemKind.Text,
        detail="Midline",
        documentation=_preview(ls, text, document.language),
        sort_text=f"{rank:03}",
        filter_text=before or first_line,
        insert_text_format=types.InsertTextFormat.PlainText,
        insert_text_mode=types.InsertTextMode.AsIs,
        text_edit=types.TextEdit(_range(ls, document, start, offset), text),
    )


def _preview(ls: "MidlineServer", text: str, language: str) -> types.MarkupContent | str:
    """All lines of an item, as code where the client shows Markdown."""
    can = ls.client_capabilities.text_document
    item = can.completion.completion_item if can and can.completion else None
    markdown = types.MarkupKind.Markdown
    if item is None or markdown not in (item.documentation_format or ()):
        return text
    return types.MarkupContent(markdown, f"```{language}\n{text}\n```")


def _range(ls: "MidlineServer", document: Document, start: int, end: int) -> types.Range:
    encoding = ls.session.encoding
    return types.Range(
        types.Position(*document.position(start, encoding)),
        types.Position(*document.position(end, encoding)),
    )
