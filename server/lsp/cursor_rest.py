"""The place where a cursor rests before anything is typed there.

Prefill takes most of the time of a first completion at a new place. Editors tell servers nothing of
a cursor that moves, so Midline's clients do; then the window that a first completion would have is
prefilled while the person looks at the place. The larger window has to wait for a key: most places
are only looked at.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from midline.server.context.useless import useless_file

if TYPE_CHECKING:
    from lsprotocol.types import Position

    from midline.model.engines.base import Engine
    from midline.server.documents import Document
    from midline.server.lsp.server import MidlineServer
    from midline.server.lsp.session import Snapshot


def rests_at(ls: "MidlineServer", document: "Document", place: "Position") -> bool:
    """`cursor_rests` at a position of the client's."""
    offset = document.offset(place.line, place.character, ls.session.encoding)
    return cursor_rests(ls, ls.session.snapshot(document, offset))


def cursor_rests(ls: "MidlineServer", snapshot: "Snapshot") -> bool:
    """Prefill for the cursor of `snapshot` while the engine is idle; whether there is reason to.

    There is none where a completion is under way or was just typed along, and where none would be
    offered without a request by hand.
    """
    session, document = ls.session, snapshot.document
    live = session.live.get(document.uri)
    is_typing = live is not None and live.follow(document, snapshot.offset)
    if is_typing or snapshot.settings.only_by_hand or useless_file(document):
        return False
    planner = ls.planner

    def work(engine: "Engine", is_over: Callable[[], bool]) -> None:
        planner.read_ahead(engine, planner.plan(engine, snapshot).window, is_over)

    ls.reading = ls.engine.run_when_idle(work, document.uri)
    return True
