"""Edits of files and open documents, applied by the client."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from midline.model.errors import MidlineError
from midline.server.documents import Document
from midline.server.routing.edits import Edit
from midline.server.routing.workspace import Workspace
from midline.server.routing.workspace_edit import workspace_edit

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


async def applied_edit(
    ls: "MidlineServer", edit: Edit, workspace: Workspace, documents: Mapping[Path, Document]
) -> dict[str, Any]:
    """Have the client apply an edit that was made for `documents`, as one step to undo.

    A client that applies none gets the edit in the answer. Raises MidlineError if a document has
    changed since, or the client refuses.
    """
    made = workspace_edit(edit, workspace, documents, ls.session.encoding)
    _check_versions(ls, edit, documents)
    can = ls.client_capabilities.workspace
    if can is None or not can.apply_edit:
        return {"summary": edit.summary, "edit": ls.protocol._converter.unstructure(made)}
    params = types.ApplyWorkspaceEditParams(made, label=edit.summary)
    result = await ls.workspace_apply_edit_async(params)
    if not result.applied:
        reason = f" ({result.failure_reason})" if result.failure_reason else ""
        raise MidlineError(f"the editor did not apply the edit{reason}; run the command again")
    return {"summary": edit.summary, "applied": True}


def _check_versions(ls: "MidlineServer", edit: Edit, documents: Mapping[Path, Document]) -> None:
    for path in edit.paths():
        before = documents.get(path)
        if before is not None and ls.session.documents.get(before.uri) is not before:
            raise MidlineError(
                f"{before.name or 'the text'} has changed meanwhile, and nothing was changed; run "
                "the command again"
            )
