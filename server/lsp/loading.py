"""Loading a model in the background, with a progress bar where the client has one.

The engine has one model for all clients. The last one that was asked for is loaded: a client whose
settings name another goes on with it and is told so.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from lsprotocol import types

from midline.model.errors import MidlineError
from midline.server.logs import log_hint
from midline.server.lsp.engine_state import EngineState
from midline.server.lsp.model_loader import begin_load, check_pause_model, is_here, load_key
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
    await load_pause_model(ls)


async def load_pause_model(ls: "MidlineServer") -> None:
    """Load the model that completes at pauses, or free it where the settings name none.

    A failure is one sentence to the user: the first model completes alone then.
    """
    settings, pause = ls.session.settings, ls.engine.thread.pause
    if settings.pause_model == "" or ls.engine.thread.board.current.name != "ready":
        pause.want(None)
        return
    try:
        check_pause_model(settings)
        own = replace(settings, model=settings.pause_model)
        loading = pause.want(lambda: ls.load_engine(own, lambda share: None), load_key(own))
        assert loading is not None
        engine = await asyncio.shield(asyncio.wrap_future(loading))
        LOGGER.info("loaded %s, which completes at pauses", engine.name)
    except MidlineError as error:
        pause.want(None)
        LOGGER.warning("%s", error)
        ls.tell(f"Midline: {error}; until then {settings.model} completes at pauses, too")
    except Exception:
        pause.want(None)
        LOGGER.exception("loading %s", settings.pause_model)
        ls.tell(f"Midline could not load {settings.pause_model}; {log_hint()}")


def _offers_pull(ls: "MidlineServer") -> bool:
    """Whether the client itself offers to pull a missing model, by an experimental capability."""
    experimental = ls.client_capabilities.experimental
    return isinstance(experimental, Mapping) and experimental.get("midlinePull") is True


async def _appears(ls: "MidlineServer", model: str) -> None:
    """Load a model as soon as it is there, however it got there."""
    while not is_here(model):
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
    await load_model(ls)
