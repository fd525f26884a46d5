"""midline.reload: loads the model of this window's settings anew."""

from typing import Any

from midline.server.lsp.loading import load_model
from midline.server.lsp.server import MidlineServer


async def reload(ls: MidlineServer) -> dict[str, Any]:
    """Load the model again, whatever is loaded; the status afterwards."""
    await load_model(ls, again=True)
    return ls.status.status.as_params()
