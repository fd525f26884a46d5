"""workspace/didChangeConfiguration: settings of the client, asked for or sent along."""

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lsprotocol import types

from midline.model.errors import MidlineError
from midline.server.logs import log_hint, log_to_file
from midline.server.lsp.answers import answer
from midline.server.lsp.loading import load_model, load_pause_model
from midline.server.lsp.model_loader import load_key
from midline.server.lsp.settings import SECTION, Options, resolve
from midline.server.user_settings import read_user_settings

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer

LOGGER = logging.getLogger(__name__)


async def did_change_configuration(
    ls: "MidlineServer", params: types.DidChangeConfigurationParams
) -> None:
    """Take the new settings; another model is loaded in the background.

    So is the one there is, if it could not be loaded before: its file may be here by now, or the
    settings that it could not be loaded with are others.
    """
    options = await fetch_options(ls)
    if options is None:
        options = _sent(params.settings)
    before = ls.session.settings
    if options is not None:
        apply_options(ls, options)
    after = ls.session.settings
    if load_key(before) != load_key(after) or ls.engine.has_failed:
        await load_model(ls)
    elif before != after:
        await load_pause_model(ls)


async def fetch_options(ls: "MidlineServer") -> Options | None:
    """The settings that the client keeps; None if it keeps none, or does not tell."""
    workspace = ls.client_capabilities.workspace
    if workspace is None or not workspace.configuration:
        return None
    item = types.ConfigurationItem(section=SECTION)
    question = ls.workspace_configuration_async(types.ConfigurationParams([item]))
    found = await answer(question, types.WORKSPACE_CONFIGURATION)
    return found[0] if found and isinstance(found[0], Mapping) else None


def _sent(settings: Any) -> Any:
    """Options that came along: under the name of their section, or as they are."""
    if isinstance(settings, Mapping) and isinstance(settings.get(SECTION), Mapping):
        return settings[SECTION]
    return settings


def apply_options(ls: "MidlineServer", options: Options | None) -> None:
    """Resolve the options; what is wrong in them goes to the log, and one sentence to the user."""
    settings, problems = resolve(_above_own(options))
    ls.session.use(settings)
    ls.engine.thread.policy = settings.policy()
    ls.pauses.stop()
    if not settings.enabled:
        ls.engine.abandon_all()
    log_to_file(logging.getLevelNamesMapping()[settings.log_level.upper()])
    for problem in problems:
        LOGGER.warning("%s", problem)
    if problems:
        more = f" ({len(problems) - 1} more, {log_hint()})" if len(problems) > 1 else ""
        ls.tell(f"Midline: {problems[0]}{more}", types.MessageType.Warning)


def _above_own(options: Any) -> Any:
    """The client's options above those that the user has set with `midline do`."""
    if options is not None and not isinstance(options, Mapping):
        return options
    try:
        return {**read_user_settings(), **(options or {})}
    except MidlineError as error:
        LOGGER.warning("%s", error)
        return options
