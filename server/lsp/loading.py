"""Loading a model in the background, with a progress bar where the client has one.

The engine has one model for all clients. The last one that was asked for is loaded: a client whose
settings name another goes on with it and is told so.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from typing import TYPE_CHECKING

from lsprotocol import types

from midline.model.catalog.catalog import resolve
from midline.model.errors import MidlineError
from midline.server.logs import log_hint
from midline.server.lsp.engine_state import EngineState
from midline.server.lsp.progress_bar import ProgressBar
from midline.server.lsp.prompt_window import WindowPlanner

if TYPE_CHECKING:
    from midline.model.engines.base import Engine
    from midline.server.lsp.server import MidlineServer
    from midline.server.lsp.settings import Settings

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
        loading = _load(ls, settings, again)
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
    while not _is_here(model):
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS)
    await load_model(ls)


def _load(ls: "MidlineServer", settings: "Settings", again: bool) -> "Future[Engine]":
    """The load of the settings' model: the last one, if it was that, or a new one."""
    thread = ls.engine.thread
    remote = settings.endpoint, settings.endpoint_consent
    key = (settings.model, settings.threads, settings.sparsity, *remote)
    loading = None if again else thread.loading_of(key)
    if loading is None:
        thread.board.post(_loading(settings.model, 0.0))
        loading = ls.engine.load(_loader(ls, settings), key)
    return loading


def _loader(ls: "MidlineServer", settings: "Settings") -> "Callable[[], Engine]":
    """Loads the model and measures its speed, for all clients; called on the engine's thread."""
    board, load_engine, thread = ls.engine.thread.board, ls.load_engine, ls.engine.thread
    model = settings.model

    def load() -> "Engine":
        try:
            engine = load_engine(
                settings, lambda share: board.post(_loading(model, round(share, 2)))
            )
            planner = WindowPlanner()
            planner.measure(engine)
        except MidlineError as error:
            LOGGER.warning("%s", error, exc_info=error.__cause__)
            name = "failed" if _is_here(model) else "noModel"
            board.post(EngineState(name, model, None, f"{error}."))
            raise
        except Exception:
            board.post(
                EngineState("failed", model, None, f"{model} could not be loaded; {log_hint()}")
            )
            raise
        thread.speed = planner.speed
        board.post(EngineState("ready", model, None, f"{model} is ready."))
        return engine

    return load


def _is_here(model: str) -> bool:
    try:
        resolve(model)
    except MidlineError:
        return False
    return True


def _loading(model: str, share: float) -> EngineState:
    return EngineState("loading", model, share, f"{model} is being loaded: {100 * share:.0f}%.")
