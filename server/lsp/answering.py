"""From a request for a completion to its answer, or to silence with a reason for it."""

import time
from typing import TYPE_CHECKING

from midline.server.context.useless import SECRETS, useless_file, useless_place
from midline.server.lsp.session import Session, Snapshot
from midline.server.lsp.suggestions import Answer, suggestions

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


def refusal(session: Session, uri: str) -> str:
    """Why a document is not completed; "" for one that is."""
    document = session.documents.get(uri)
    if document is None:
        return "not open"
    if session.is_paused:
        return "paused"
    if not session.settings.enabled:
        return "off"
    return "" if session.settings.serves(document.language) else "language disabled"


async def watched_suggestions(
    ls: "MidlineServer", snapshot: Snapshot, *, automatic: bool, anew: bool = False
) -> Answer:
    """`suggestions`, unless they are useless here, with what comes of them in the status."""
    reason = _useless(ls, snapshot, by_hand=anew)
    if reason:
        ls.status.refused(reason)
        return Answer([])
    began = time.perf_counter()
    with ls.status.thinking():
        answer = await suggestions(ls, snapshot, automatic=automatic, anew=anew)
    ls.status.answered(answer, 1000 * (time.perf_counter() - began))
    return answer


def _useless(ls: "MidlineServer", snapshot: Snapshot, *, by_hand: bool) -> str:
    """Why nothing is offered, however likely; "" if something may be.

    What continues a completion on screen does so behind a quote and inside a number, too.
    """
    reason = useless_file(snapshot.document)
    if by_hand:
        return reason if reason == SECRETS else ""
    if snapshot.settings.only_by_hand:
        return "only by hand"
    return reason or ("" if _goes_on(ls, snapshot) else _place(snapshot))


def _place(snapshot: Snapshot) -> str:
    return useless_place(snapshot.document, snapshot.offset)


def _goes_on(ls: "MidlineServer", snapshot: Snapshot) -> bool:
    """Whether what was written for the document, also ahead, has more to say at the cursor."""
    session, uri, place = ls.session, snapshot.uri, (snapshot.document, snapshot.offset)
    lives = [live for live in (session.live.get(uri), *session.ahead.of(uri)) if live is not None]
    return any(live.follow(*place) and live.left(*place) for live in lives)
