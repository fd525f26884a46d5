"""midline.pause: nothing is completed in this window, and nothing computed for it."""

from typing import Any

from midline.server.lsp.server import MidlineServer


def pause(ls: MidlineServer) -> dict[str, Any]:
    """Pause completions until `midline.resume`; the status."""
    session = ls.session
    session.is_paused = True
    ls.pauses.stop()
    for live in list(session.live.values()):
        session.give_up(live.uri)
        session.forget(live)
    ls.engine.abandon_all()
    ls.status.tell()
    return ls.status.status.as_params()
