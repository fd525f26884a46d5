"""The LSP methods that Midline handles, one file each."""

from typing import TYPE_CHECKING

from lsprotocol import types

from midline.server.lsp.features import (
    code_action,
    cursor,
    did_change,
    did_change_configuration,
    did_close,
    did_open,
    execute_command,
    initialize,
    initialized,
    inline_completion,
    notebook_did_change,
    notebook_did_close,
    notebook_did_open,
    shutdown,
    status,
)
from midline.server.lsp.status import METHOD

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer

_OWN = (
    types.TEXT_DOCUMENT_DID_OPEN,
    types.TEXT_DOCUMENT_DID_CHANGE,
    types.TEXT_DOCUMENT_DID_CLOSE,
    types.NOTEBOOK_DOCUMENT_DID_OPEN,
    types.NOTEBOOK_DOCUMENT_DID_CHANGE,
    types.NOTEBOOK_DOCUMENT_DID_CLOSE,
    types.WORKSPACE_EXECUTE_COMMAND,
)
"""Methods of pygls that are handled here instead."""


def register(server: "MidlineServer") -> None:
    """Add every method to `server`; `textDocument/completion` waits for the client's abilities."""
    for method in _OWN:
        server.protocol.fm.builtin_features.pop(method)
    server.feature(types.INITIALIZE)(initialize.initialize)
    server.feature(types.INITIALIZED)(initialized.initialized)
    server.feature(types.SHUTDOWN)(shutdown.shutdown)
    server.feature(types.TEXT_DOCUMENT_DID_OPEN)(did_open.did_open)
    server.feature(types.TEXT_DOCUMENT_DID_CHANGE)(did_change.did_change)
    server.feature(types.TEXT_DOCUMENT_DID_CLOSE)(did_close.did_close)
    server.feature(types.NOTEBOOK_DOCUMENT_DID_OPEN)(notebook_did_open.notebook_did_open)
    server.feature(types.NOTEBOOK_DOCUMENT_DID_CHANGE)(notebook_did_change.notebook_did_change)
    server.feature(types.NOTEBOOK_DOCUMENT_DID_CLOSE)(notebook_did_close.notebook_did_close)
    server.feature(types.WORKSPACE_DID_CHANGE_CONFIGURATION)(
        did_change_configuration.did_change_configuration
    )
    server.feature(types.WORKSPACE_EXECUTE_COMMAND)(execute_command.execute_command)
    server.feature(types.TEXT_DOCUMENT_CODE_ACTION, code_action.OPTIONS)(code_action.code_action)
    server.feature(METHOD)(status.status)
    server.feature(cursor.METHOD)(cursor.cursor)
    # Without options pygls would answer the method and not advertise it.
    server.feature(types.TEXT_DOCUMENT_INLINE_COMPLETION, types.InlineCompletionOptions())(
        inline_completion.inline_completion
    )
