"""initialized: fetches the settings and loads the model."""

from typing import TYPE_CHECKING

from lsprotocol import types

from midline.server.lsp.answers import answer
from midline.server.lsp.features.did_change_configuration import apply_options, fetch_options
from midline.server.lsp.loading import load_model
from midline.server.lsp.settings import SECTION

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


async def initialized(ls: "MidlineServer", params: types.InitializedParams) -> None:
    """Fetch the settings if the client keeps some, then load the model in the background."""
    ls.is_initialized = True
    ls.status.tell()
    if ls.notice:
        ls.tell(ls.notice, types.MessageType.Warning)
    options = await fetch_options(ls)
    if options is not None:
        apply_options(ls, options)
    await _ask_for_changes(ls)
    await load_model(ls)


async def _ask_for_changes(ls: "MidlineServer") -> None:
    """Ask to be told of changed settings, where the client wants to be asked."""
    workspace = ls.client_capabilities.workspace
    changes = workspace.did_change_configuration if workspace else None
    if changes is None or not changes.dynamic_registration:
        return
    registration = types.Registration(
        id="midline-settings",
        method=types.WORKSPACE_DID_CHANGE_CONFIGURATION,
        register_options=types.DidChangeConfigurationRegistrationOptions(section=SECTION),
    )
    question = ls.client_register_capability_async(types.RegistrationParams([registration]))
    await answer(question, types.CLIENT_REGISTER_CAPABILITY)
