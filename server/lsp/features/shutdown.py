"""shutdown: the client is about to exit."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


def shutdown(ls: "MidlineServer", params: None) -> None:
    """Stop all work, so that the process can end at once."""
    ls.session.shutdown_requested = True
    for uri in list(ls.session.documents):
        ls.session.close(uri)
