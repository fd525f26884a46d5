"""The engine of `midline.pauseModel`: a second one, beside that of the engine's thread.

It is loaded on a thread of its own, so that no key waits for it. It computes on the engine's thread
alone, in idle times, and is freed there. All clients share it; the last settings decide.
"""

import logging
import threading
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from midline.server.lsp.prompt_window import ReadingSpeed, WindowPlanner

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Loaded:
    """An engine that was loaded, its measured prefill speed, and what it was asked for as."""

    engine: "Engine"
    key: Hashable
    speed: ReadingSpeed = field(default_factory=ReadingSpeed)


class PauseEngine:
    """Loads, keeps and frees one engine; `want` is the event loop's, `current` and `free` are the
    engine's thread's.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._load: Callable[[], Engine] | None = None
        self._key: Hashable = None
        self._loading: Future[Engine] | None = None
        self._loaded: Loaded | None = None
        self._unwanted: list[Loaded] = []
        """What is to be closed on the engine's thread."""

    @property
    def name(self) -> str | None:
        """The model in memory; None without one."""
        loaded = self._loaded
        return None if loaded is None else loaded.engine.name

    def want(
        self, load: "Callable[[], Engine] | None", key: Hashable = None
    ) -> "Future[Engine] | None":
        """Load what `load` makes, unless `key` is here or under way; with None, want none.

        The future is that of the load, which may end with an error. What was here before is freed
        by the next `current` or `free`.
        """
        with self._lock:
            is_known = key == self._key and self._loading is not None
            if load is not None and is_known and not _has_failed(self._loading):
                return self._loading
            if key != self._key or load is None:
                self._set_aside()
            self._load, self._key, self._loading = load, key, None
            return None if load is None else self._begin(load, key)

    def _begin(self, load: "Callable[[], Engine]", key: Hashable) -> "Future[Engine]":
        done: Future[Engine] = Future()
        self._loading = done

        def run() -> None:
            try:
                engine = load()
                planner = WindowPlanner()
                planner.measure(engine)
            except BaseException as error:  # noqa: BLE001 - it is raised where the load is awaited
                done.set_exception(error)
                return
            self._keep(Loaded(engine, key, planner.speed))
            done.set_result(engine)

        threading.Thread(target=run, name="pause engine", daemon=True).start()
        return done

    def keep(self, engine: "Engine", speed: ReadingSpeed) -> None:
        """Take an engine that was loaded elsewhere, whose prefill speed is known."""
        with self._lock:
            self._key = engine.name
            self._loading = Future()
            self._loading.set_result(engine)
            self._load = lambda: engine
            self._loaded = Loaded(engine, engine.name, speed)

    def _keep(self, loaded: Loaded) -> None:
        with self._lock:
            if self._load is not None and loaded.key == self._key:
                self._loaded, loaded = loaded, self._loaded or loaded
            if loaded is not self._loaded:
                self._unwanted.append(loaded)

    def current(self) -> Loaded | None:
        """What is loaded, if it is still wanted; what was freed is loaded again, for later."""
        self._close_unwanted()
        with self._lock:
            if self._loaded is None and self._load is not None:
                is_under_way = self._loading is not None and not self._loading.done()
                if not (is_under_way or _has_failed(self._loading)):
                    self._begin(self._load, self._key)
            return self._loaded

    def free(self) -> None:
        """Free the memory until the next `current`."""
        with self._lock:
            self._set_aside()
        self._close_unwanted()

    def _set_aside(self) -> None:
        if self._loaded is not None:
            self._unwanted.append(self._loaded)
        self._loaded = None

    def _close_unwanted(self) -> None:
        with self._lock:
            unwanted, self._unwanted = self._unwanted, []
        for loaded in unwanted:
            loaded.engine.close()


def _has_failed(loading: "Future[Engine] | None") -> bool:
    return loading is not None and loading.done() and loading.exception() is not None
