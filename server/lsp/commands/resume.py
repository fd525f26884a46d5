"""midline.resume: completions go on after `midline.pause`."""

from typing import Any

from midline.server.lsp.server import MidlineServer


def resume(ls: MidlineServer) -> dict[str, Any]:
    """Resume completions; the status."""
    ls.session.is_paused = False
    ls.status.tell()
    return ls.status.status.as_params()
