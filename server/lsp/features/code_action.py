"""textDocument/codeAction: what Midline can write at a place, or explain of it."""

import asyncio
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from midline.model.errors import MidlineError
from midline.server.lsp.code_sites import no_action_because, site_at
from midline.server.lsp.cursor_rest import rests_at
from midline.server.lsp.open_paths import cursor_of, path_of
from midline.server.routing.code_actions import (
    QUICK_FIX,
    REWRITE,
    SOURCE,
    fix_title,
    is_wanted,
    offered,
)
from midline.server.routing.workspace import Workspace

if TYPE_CHECKING:
    from midline.server.documents import Document
    from midline.server.lsp.server import MidlineServer

OPTIONS = types.CodeActionOptions([QUICK_FIX, REWRITE, SOURCE])
COMMAND = "midline.action"


async def code_action(
    ls: "MidlineServer", params: types.CodeActionParams
) -> list[types.CodeAction | types.Command]:
    """The actions that make sense at the range; none where Midline is off, or reads nothing."""
    document = ls.session.documents.get(params.text_document.uri)
    if document is None or no_action_because(ls, document):
        return []
    if params.range.start == params.range.end:  # some editors ask wherever the cursor rests
        rests_at(ls, document, params.range.start)
    kinds = params.context.only
    only = None if kinds is None else tuple(str(getattr(kind, "value", kind)) for kind in kinds)
    actions = await _offered(ls, document, params, only)
    text = ls.client_capabilities.text_document
    if text and text.code_action and text.code_action.code_action_literal_support:
        return [*actions]
    return [action.command for action in actions if action.command]


async def _offered(
    ls: "MidlineServer",
    document: "Document",
    params: types.CodeActionParams,
    only: tuple[str, ...] | None,
) -> list[types.CodeAction]:
    span = ls.protocol._converter.unstructure(params.range)
    path = path_of(document)
    cursor = cursor_of(path, span)
    workspace = Workspace(path.parent, {path: document.text})
    try:
        site = await asyncio.to_thread(site_at, workspace, cursor)
    except MidlineError:
        return []
    found = []
    if is_wanted(QUICK_FIX, only):
        found = [_fix(ls, document, d) for d in params.context.diagnostics]
    for action, title in offered(site, only):
        found.append(_action(action.kind, title, _arguments(action.name, document, span)))
    return found


def _fix(
    ls: "MidlineServer", document: "Document", diagnostic: types.Diagnostic
) -> types.CodeAction:
    plain = ls.protocol._converter.unstructure(diagnostic)
    arguments = _arguments("fix", document, plain["range"])
    made = _action(QUICK_FIX, fix_title(diagnostic.message), {**arguments, "diagnostic": plain})
    made.diagnostics = [diagnostic]
    return made


def _arguments(name: str, document: "Document", span: Any) -> dict[str, Any]:
    return {"action": name, "uri": document.uri, "version": document.version, "range": span}


def _action(kind: str, title: str, arguments: dict[str, Any]) -> types.CodeAction:
    named = f"Midline: {title}"
    return types.CodeAction(named, kind, command=types.Command(named, COMMAND, None, [arguments]))
