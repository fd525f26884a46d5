"""workspace/didChangeConfiguration: settings of the client, asked for or sent along."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from midline.server.loading import load_model
from midline.server.logs import log_hint, log_to_file
from midline.server.settings import SECTION, Options, resolve

if TYPE_CHECKING:
    from midline.server.lsp import MidlineServer

LOGGER = logging.getLogger(__name__)


async def did_change_configuration(
    ls: "MidlineServer", params: types.DidChangeConfigurationParams
) -> None:
    """Take the new settings; another model is loaded in the background."""
    before = ls.session.settings
    if not await fetch_options(ls):
        options = params.settings
        if isinstance(options, Mapping) and isinstance(options.get(SECTION), Mapping):
            options = options[SECTION]
        apply_options(ls, options)
    after = ls.session.settings
    if (before.model, before.threads) != (after.model, after.threads):
        await load_model(ls)


async def fetch_options(ls: "MidlineServer") -> bool:
    """Ask the client for its settings; whether it keeps any."""
    workspace = ls.client_capabilities.workspace
    if workspace is None or not workspace.configuration:
        return False
    item = types.ConfigurationItem(section=SECTION)
    found: Any = await ls.workspace_configuration_async(types.ConfigurationParams([item]))
    if not found or not isinstance(found[0], Mapping):
        return False
    apply_options(ls, found[0])
    return True


def apply_options(ls: "MidlineServer", options: Options | None) -> None:
    """Resolve the options; what is wrong in them goes to the log, and one sentence to the user."""
    settings, problems = resolve(options)
    ls.session.use(settings)
    log_to_file(logging.getLevelNamesMapping()[settings.log_level.upper()])
    for problem in problems:
        LOGGER.warning("%s", problem)
    if problems:
        more = f" ({len(problems) - 1} more, {log_hint()})" if len(problems) > 1 else ""
        ls.tell(f"Midline: {problems[0]}{more}", types.MessageType.Warning)
