"""What loading a model means: the engine of the settings, its speed measured, its state told.

Imports nothing of the protocol, so that the engine process can begin to load at once.
"""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any

from midline.model.catalog.catalog import resolve
from midline.model.errors import MidlineError
from midline.server.logs import log_hint
from midline.server.lsp.engine_policy import be_nice, threads_now
from midline.server.lsp.engine_state import EngineState
from midline.server.lsp.engine_thread import EngineThread
from midline.server.lsp.prompt_window import WindowPlanner
from midline.server.lsp.settings import Settings

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

LOGGER = logging.getLogger(__name__)

LOAD_FIELDS = ("model", "engine", "threads", "sparsity")
"""Fields of the settings that say which model is loaded, and how."""
LoadEngine = Callable[[Settings, Callable[[float], None]], "Engine"]
"""Loads the model of the settings, reporting how much of it is done, from 0 to 1."""


def load_engine(settings: Settings, progress: Callable[[float], None]) -> "Engine":
    """The engine of the settings; imported here because the server starts without it."""
    from midline.model.engines.base import NativeOptions, SamplingOptions
    from midline.model.engines.load import load_engine as load

    if settings.endpoint is not None:
        from midline.model.engines.remote.endpoint import RemoteOptions

        remote = RemoteOptions(settings.endpoint, consent=settings.endpoint_consent)
        return load(settings.model, "remote", options=SamplingOptions(engine=remote))
    settings.policy().check_memory(settings.model)
    be_nice(settings.nice)
    sparsity = settings.sparsity if settings.engine == "native" else 0.0
    options = SamplingOptions(engine=NativeOptions(sparsity=sparsity))
    threads = threads_now(settings.threads, settings.save_battery)
    kind = settings.engine
    engine = load(settings.model, kind, options=options, threads=threads, progress=progress)
    engine.warm_up()
    return engine


def check_pause_model(settings: Settings) -> None:
    """Raise MidlineError, one sentence, if the pause model cannot be used beside the model."""
    if settings.endpoint is not None:
        raise MidlineError(
            "midline.pauseModel is for models on this machine; remove it, or midline.endpoint"
        )
    if resolve(settings.pause_model) == resolve(settings.model):
        raise MidlineError(
            f"midline.pauseModel is {settings.pause_model}, which completes anyway; name a larger "
            "model, or leave it empty"
        )
    settings.policy().check_memory(settings.model, settings.pause_model)


def load_key(settings: Settings) -> tuple[Any, ...]:
    """What tells one load from another: the fields of `LOAD_FIELDS`, and an engine elsewhere."""
    own = (getattr(settings, field) for field in LOAD_FIELDS)
    return *own, settings.endpoint, settings.endpoint_consent


def loader(
    thread: EngineThread, load_engine: LoadEngine, settings: Settings
) -> "Callable[[], Engine]":
    """Loads the model and measures its speed, for all clients; called on the engine's thread."""
    board, model = thread.board, settings.model

    def load() -> "Engine":
        try:
            engine = load_engine(
                settings, lambda share: board.post(loading_state(model, round(share, 2)))
            )
            planner = WindowPlanner()
            planner.measure(engine)
        except MidlineError as error:
            LOGGER.warning("%s", error, exc_info=error.__cause__)
            name = "failed" if is_here(model) else "noModel"
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


def begin_load(
    thread: EngineThread, load_engine: LoadEngine, settings: Settings, *, again: bool = False
) -> "Future[Engine]":
    """The load of the settings' model: the last one, if it was that, or a new one."""
    key = load_key(settings)
    loading = None if again else thread.loading_of(key)
    if loading is None:
        thread.board.post(loading_state(settings.model, 0.0))
        loading = thread.load(loader(thread, load_engine, settings), key)
    return loading


def is_here(model: str) -> bool:
    """Whether the model can be loaded without a pull."""
    try:
        resolve(model)
    except MidlineError:
        return False
    return True


def loading_state(model: str, share: float) -> EngineState:
    """The state while `share` of the model has been loaded."""
    return EngineState("loading", model, share, f"{model} is being loaded: {100 * share:.0f}%.")
