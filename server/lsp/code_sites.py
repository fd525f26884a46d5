"""Where a document's actions are asked for, and documents that have none."""

from typing import TYPE_CHECKING

from midline.model.errors import MidlineError
from midline.server.context.useless import SECRETS, useless_file
from midline.server.documents import Document
from midline.server.lsp.answering import refusal
from midline.server.routing.code_actions import Site
from midline.server.routing.targets import Cursor
from midline.server.routing.workspace import Workspace

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer

_SENTENCES = {
    "not open": "the document is not open in the editor",
    "paused": "Midline is paused in this window; resume it first",
    "off": "Midline is off in the settings",
    "language disabled": "Midline is off for this language",
    SECRETS: "this file seems to hold secrets, and is not given to the model",
}


def no_action_because(ls: "MidlineServer", document: Document | None) -> str:
    """Why a document has no actions, in a sentence; "" for one that has."""
    reason = refusal(ls.session, document.uri if document else "")
    if not reason and document and useless_file(document) == SECRETS:
        reason = SECRETS
    return _SENTENCES.get(reason, reason)


def site_at(workspace: Workspace, cursor: Cursor) -> Site:
    """The place of `cursor`; MidlineError for a file that has no grammar."""
    source = workspace.source(cursor.path)
    if source is None:
        raise MidlineError(
            f"{cursor.path.name} is in no language that Midline can parse, or too large"
        )
    return Site.at(source, cursor)
