"""midline/renewed: another text is there for the place that the client asked about last.

An answer is given once, as soon as there is something to show. What becomes of it afterwards, a
longer text or that of the pause model, would reach the screen with the next key. A client that says
so in its experimental capabilities (`midlineRenewed`) is told at once and asks for the place again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lsprotocol import types

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer

METHOD = "midline/renewed"
CAPABILITY = "midlineRenewed"


@dataclass(frozen=True)
class Asked:
    """The place of a request as the client named it, and the version of the document then."""

    uri: str
    version: int | None
    position: types.Position

    def as_params(self) -> dict[str, Any]:
        """The parameters of the notification."""
        return {
            "textDocument": {"uri": self.uri, "version": self.version},
            "position": {"line": self.position.line, "character": self.position.character},
        }


def renews(ls: "MidlineServer") -> bool:
    """Whether the client wants to be told."""
    experimental = ls.client_capabilities.experimental
    return isinstance(experimental, Mapping) and experimental.get(CAPABILITY) is True


def tell_renewed(ls: "MidlineServer", asked: Asked) -> None:
    """Tell the client, if it wants to know, that it should ask again."""
    if renews(ls):
        ls.protocol.notify(METHOD, asked.as_params())
