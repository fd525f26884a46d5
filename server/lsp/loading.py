"""Loading a model in the background, with a progress bar where the client has one.

The engine has one model for all clients. The last one that was asked for is loaded: a client whose
settings name another goes on with it and is told so.
"""

import asyncio
import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

from lsprotocol import types

from midline.model.errors import MidlineError
from midline.server.logs import log_hint
from midline.server.lsp.engine_state import EngineState
from midline.server.lsp.model_loader import begin_load, is_here
from midline.server.lsp.progress_bar import ProgressBar

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer

LOGGER = logging.getLogger(__name__)
SECONDS_BETWEEN_LOOKS = 2.0
"""How often is looked for a model that is not there yet."""


async def load_model(ls: "MidlineServer", *, again: bool = False) -> None:
    """Load the model of the settings, unless it is there; `again` loads it anew.

    A failure is one sentence to the user, the log has more.
    """
    ls.load_settled.clear()
    settings = ls.session.settings
    bar = await ProgressBar.begin(ls, f"Midline: loading {settings.model}")
    loop = asyncio.get_running_loop()

    def progress(state: EngineState) -> None:
        loop.call_soon_threadsafe(bar.report, state.progress or 0.0)

    leave = ls.engine.thread.board.listen(progress)
    try:
        ls.engine.stop_idle()
        loading = begin_load(ls.engine.thread, ls.load_engine, settings, again=again)
        # The load belongs to all clients, and does not end with the one that waits for it.
        engine = await asyncio.shield(asyncio.wrap_future(loading))
        LOGGER.info("loaded %s", engine.name)
        if engine.note:
            ls.tell(f"Midline: {engine.note}", types.MessageType.Info)
    except MidlineError as error:
        if ls.engine.thread.board.current.name != "noModel" or not _offers_pull(ls):
            ls.tell(f"Midline: {error}")
    except Exception:
        LOGGER.exception("loading %s", settings.model)
        ls.tell(f"Midline could not load {settings.model}; {log_hint()}")
    finally:
        leave()
        bar.end()
        ls.load_settled.set()
    if ls.engine.thread.board.current.name == "noModel":
        ls.watch_for_model(_appears(ls, settings.model))


def _offers_pull(ls: "MidlineServer") -> bool:
    """Whether the client itself offers to pull a missing model, by an experimental capability."""
    experimental = ls.client_capabilities.experimental
    return isinstance(experimental, Mapping) and experimental.get("midlinePull") is True


async def _appears(ls: "MidlineServer", model: str) -> None:
    """Load a model as soon as it is there, however it got there."""
    while not is_here(model):
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
    await load_model(ls)
