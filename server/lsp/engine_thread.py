"""The thread that owns the engine.

The event loop answers the client and never blocks on the model. One thread loads the engine and
runs one task at a time on it. A task gets immutable values and its request, which may become stale.
"""

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

LOGGER = logging.getLogger(__name__)
Result = TypeVar("Result")


class Work(Protocol):
    """What a task is for: asked before its turn and watched by it."""

    @property
    def stale(self) -> bool:
        """Whether the result is no longer wanted."""
        ...

    def abandon(self) -> None:
        """Mark the work as no longer wanted."""


class _Idle:
    """A task for the document `uri` that runs while the engine is idle."""

    def __init__(self, uri: str) -> None:
        self.uri, self.stale = uri, False

    def abandon(self) -> None:
        self.stale = True


class NoEngineError(Exception):
    """No model is loaded."""


class EngineThread:
    """Loads engines and runs tasks on the latest one, first in, first out."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
        self._engine: Engine | None = None
        self._loading: Future[Engine] | None = None
        self._running: set[Work] = set()
        self._idle: _Idle | None = None

    def load(self, load: "Callable[[], Engine]") -> "Future[Engine]":
        """Replace the engine with the result of `load`; the old one is released first."""

        def replace() -> "Engine":
            self._engine = None
            self._engine = load()
            return self._engine

        self.stop_idle()
        self._loading = self._executor.submit(replace)
        return self._loading

    @property
    def has_failed(self) -> bool:
        """Whether the last load, if there was any, has ended without an engine."""
        return self._loading is not None and self._loading.done() and self._engine is None

    def run(self, task: "Callable[[Engine], Result]", work: Work) -> "Future[Result | None]":
        """The result of `task`; None if `work` was stale before its turn came.

        The future raises NoEngineError when no model is loaded. `task` has to watch `work`.
        """

        def run() -> Result | None:
            if work.stale:
                return None
            if self._engine is None:
                raise NoEngineError
            return task(self._engine)

        self.stop_idle()
        self._running.add(work)
        future = self._executor.submit(run)
        # Not at the end of `run`: a future that is cancelled while it waits never gets there.
        future.add_done_callback(lambda done: self._running.discard(work))
        return future

    def run_when_idle(
        self, task: "Callable[[Engine, Callable[[], bool]], None]", uri: str
    ) -> "Future[None]":
        """Run a task for the document `uri`, which has to end soon after its argument is true.

        That is when anything else comes. The future is done when the task has ended, for whatever
        reason.
        """
        self.stop_idle()
        idle = self._idle = _Idle(uri)

        def run() -> None:
            if idle.stale or self._engine is None:
                return
            try:
                task(self._engine, lambda: idle.stale)
            except Exception:
                LOGGER.exception("reading ahead in %s", uri)

        return self._executor.submit(run)

    def stop_idle(self, uri: str | None = None) -> None:
        """End the task of idle times, if it is for the document `uri` or whatever it is for."""
        if self._idle is not None and uri in (None, self._idle.uri):
            self._idle.abandon()
            self._idle = None

    def close(self, seconds: float) -> bool:
        """Abandon all tasks; returns whether the thread became idle within `seconds`."""
        self.stop_idle()
        for work in list(self._running):
            work.abandon()
        resting = threading.Event()
        self._executor.submit(resting.set)
        self._executor.shutdown(wait=False)
        return resting.wait(seconds)
