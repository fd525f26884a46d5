"""The thread that owns the engine.

The event loop answers the client and never waits for the model. One thread loads the engine and
runs one task at a time on it; a task gets immutable values and its request, which may grow stale.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

from midline.server.session import Request

if TYPE_CHECKING:
    from midline.model.engine import Engine

Result = TypeVar("Result")


class NoEngineError(Exception):
    """No model is loaded, so there is nothing to run a task on."""


class EngineThread:
    """Loads engines and runs tasks on the latest one, in the order of their arrival."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="engine")
        self._engine: Engine | None = None
        self._running: set[Request] = set()

    def load(self, load: "Callable[[], Engine]") -> "Future[Engine]":
        """Replace the engine by what `load` returns; the old one is let go first."""

        def replace() -> "Engine":
            self._engine = None
            self._engine = load()
            return self._engine

        return self._executor.submit(replace)

    def run(self, task: "Callable[[Engine], Result]", request: Request) -> "Future[Result | None]":
        """The result of `task`; None if `request` was stale before its turn came.

        The future raises NoEngineError when no model is loaded. `task` has to watch `request`.
        """

        def run() -> Result | None:
            try:
                if request.stale:
                    return None
                if self._engine is None:
                    raise NoEngineError
                return task(self._engine)
            finally:
                self._running.discard(request)

        self._running.add(request)
        return self._executor.submit(run)

    def abort_stale(self, uri: str) -> None:
        """Stop what is still being read for documents other than `uri` and of no use to anybody."""
        for request in list(self._running):
            if request.stale and request.uri != uri:
                request.abort()

    def close(self, seconds: float) -> bool:
        """Give up all tasks; whether the thread came to rest within `seconds`."""
        for request in list(self._running):
            request.abort()
        resting = threading.Event()
        self._executor.submit(resting.set)
        self._executor.shutdown(wait=False)
        return resting.wait(seconds)
