"""midline/status: what Midline is doing, and why it offered nothing."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


def status(ls: "MidlineServer", params: Any) -> dict[str, Any]:
    """The status as it is now; it is sent as a notification of the same name when it changes."""
    return ls.status.status.as_params()
