"""initialize: negotiates capabilities with the client."""

from typing import TYPE_CHECKING

from lsprotocol import types

from midline.server.documents import PositionEncoding
from midline.server.lsp.features import completion
from midline.server.lsp.features.did_change_configuration import apply_options

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


def initialize(ls: "MidlineServer", params: types.InitializeParams) -> None:
    """Settle the position encoding, take the options, and add completion where it is needed."""
    ls.session.encoding = PositionEncoding(ls.workspace.position_encoding or "utf-16")
    ls.client_name = params.client_info.name if params.client_info else ""
    ls.watch(params.process_id)
    apply_options(ls, params.initialization_options)
    text = params.capabilities.text_document
    if text is None or text.inline_completion is None:
        ls.feature(types.TEXT_DOCUMENT_COMPLETION, types.CompletionOptions())(completion.completion)
