"""The thread that owns the engine, shared by all clients of the process.

The event loop answers the clients and never blocks on the model. One thread loads the engine and
runs one task at a time on it, in the order of `server/lsp/scheduler.py`; between two steps, what
is more urgent goes first (`server/lsp/turns.py`). A task gets immutable values and its request,
which may become stale.
"""

import logging
import math
import threading
import time
import weakref
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from midline.server.lsp.engine_policy import IdleBudget, Policy
from midline.server.lsp.engine_state import StateBoard
from midline.server.lsp.pause_engine import PauseEngine
from midline.server.lsp.scheduler import Priority, Scheduler, Task
from midline.server.lsp.turns import Turns

if TYPE_CHECKING:
    from midline.model.engines.base import Engine
    from midline.server.lsp.prompt_window import ReadingSpeed

LOGGER = logging.getLogger(__name__)
Result = TypeVar("Result")
_LONGEST_NAP = 0.02
"""Seconds that a task may have to wait for one of idle times that waits for its budget."""


class Work(Protocol):
    """What a task is for: asked before its turn and watched by it."""

    @property
    def stale(self) -> bool:
        """Whether the result is no longer wanted."""
        ...

    def abandon(self) -> None:
        """Mark the work as no longer wanted."""


class _Idle:
    """A task for the document `uri` that runs while the engine is idle.

    `stale` ends it, and with it the `works` that it is for; `has_to_wait` is asked between two of
    its steps, and interrupts it only.
    """

    def __init__(self, uri: str, works: Sequence[Work]) -> None:
        self.uri, self.works, self.stale = uri, works, False

    def abandon(self) -> None:
        self.stale = True
        for work in self.works:
            work.abandon()


class NoEngineError(Exception):
    """No model is loaded."""


class EngineThread:
    """Loads engines and runs the tasks of its clients on the latest one."""

    def __init__(self) -> None:
        self.engine: Engine | None = None
        """The loaded engine; None while there is none, or while it is released."""
        self.board = StateBoard()
        self.speed: ReadingSpeed | None = None
        """The measured prefill speed of the engine, shared by the planners of all clients."""
        self.pause = PauseEngine()
        """A second engine, which completes at pauses."""
        self.policy = Policy()
        self.budget = IdleBudget()
        """Of the tasks of idle times; the engine's thread's."""
        self.used_at = time.monotonic()
        """When a client's task ended last, or a load."""
        self._queue = Scheduler()
        self.turns = Turns(self._queue)
        """The tasks under way; the engine's thread's."""
        self._thread: threading.Thread | None = None
        self._reload: Callable[[], Engine] | None = None
        self.loading: Future[Engine] | None = None
        """The last load that was asked for."""
        self.loads = 0
        """How many loads were asked for: a task runs only on the engine that it was meant for."""
        self.of_this_load: list[weakref.ref[Engine]] = []
        """The engine, and those of the same load that were released."""
        self.key: Hashable = None
        """What was asked for last, as `load` was told."""
        self._clients: list[EngineClient] = []

    def client(self, give_way: Callable[[], None] = lambda: None) -> "EngineClient":
        """A new client's view; `give_way` is called, on the caller's thread, when another client
        asks for a completion, and should end what nobody waits for.
        """
        self._clients.append(made := EngineClient(self, give_way))
        return made

    def load(self, load: "Callable[[], Engine]", key: Hashable = None) -> "Future[Engine]":
        """Replace the engine with the result of `load`; the old one is released first.

        Tasks that wait for the old one are dropped. `key` says what is loaded, for `loading_of`.
        """
        self.loads += 1
        self.key, number = key, self.loads

        def replace() -> "Engine":
            if self.engine is not None:
                self.engine.close()
            self.engine = self._reload = None
            self.of_this_load.clear()
            self.engine = _made(self, load)
            if number == self.loads:
                self._reload = load
            return self.engine

        self.loading = self.submit(Task(Priority.LOAD, self, replace))
        return self.loading

    def loading_of(self, key: Hashable) -> "Future[Engine] | None":
        """The load of `key` if it is the last one, under way or done well; None otherwise."""
        loading = self.loading
        if loading is None or self.key != key or loading.cancelled():
            return None
        return None if loading.done() and loading.exception() else loading

    @property
    def has_failed(self) -> bool:
        """Whether the last load, if there was any, has ended without an engine."""
        loading = self.loading
        return loading is not None and loading.done() and self._reload is None

    def release(self) -> "Future[bool]":
        """Free the engines' memory until the next task; whether there was any to free."""

        def release() -> bool:
            self.pause.free()
            engine, self.engine = self.engine, None
            if engine is not None:
                engine.close()
            return engine is not None

        return self.submit(Task(Priority.LOAD, self, release))

    def submit(self, task: Task) -> "Future[Any]":
        """Queue a task; whatever runs in idle time ends soon, unless the task does, too."""
        self._queue.put(task)
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="engine", daemon=True)
            self._thread.start()
        return task.future

    def others_give_way(self, client: "EngineClient") -> None:
        """Tell all other clients that `client` wants the engine."""
        for other in list(self._clients):
            if other is not client:
                other.give_way()

    def current(self) -> "Engine":
        """The engine, loaded again if it was released; NoEngineError. Engine's thread only."""
        if self.engine is None:
            if self._reload is None:
                raise NoEngineError
            self.engine = _made(self, self._reload)
        return self.engine

    def serves(self, engine: "Engine") -> bool:
        """Whether ids of this engine are those of the one that runs tasks now: it is of the same
        load, if perhaps released since.
        """
        return any(known() is engine for known in self.of_this_load)

    def may_go_on(self, is_over: Callable[[], bool]) -> bool:
        """Whether a task of idle times may go on, as soon as its budget allows that.

        It may not when `is_over`, when a task waits, or when there is no budget for it at all.
        """
        wait = self.budget.wait(self.policy)
        while wait > 0 and not (is_over() or self.is_wanted_by_others() or math.isinf(wait)):
            time.sleep(min(wait, _LONGEST_NAP))
            wait = self.budget.wait(self.policy)
        return not (is_over() or self.is_wanted_by_others() or math.isinf(wait))

    def is_wanted_by_others(self) -> bool:
        """Whether a task waits that an idle one has to make room for."""
        return self._queue.has_more_urgent(Priority.IDLE)

    def leave(self, client: "EngineClient") -> None:
        """Forget a client; what waits for it is cancelled."""
        if client in self._clients:
            self._clients.remove(client)
        for task in self._queue.forget(client):
            task.future.cancel()

    def close(self, seconds: float) -> bool:
        """Abandon all tasks; returns whether the thread became idle within `seconds`."""
        for client in self._clients:
            client.abandon_all()
        resting = threading.Event()
        self.submit(Task(Priority.IDLE, self, resting.set))
        self._queue.close()
        return resting.wait(seconds)

    def _run(self) -> None:
        while (task := self._queue.take()) is not None:
            self.turns.run(task)
            self.used_at = time.monotonic()


def _made(thread: EngineThread, load: "Callable[[], Engine]") -> "Engine":
    """A loaded engine, which others may interrupt."""
    engine = load()
    engine.breaks = thread.turns
    thread.of_this_load.append(weakref.ref(engine))
    return engine


class EngineClient:
    """One client's view of the engine's thread: its tasks, and the one it has for idle times."""

    def __init__(self, thread: EngineThread, give_way: Callable[[], None]) -> None:
        self.thread = thread
        self.give_way = give_way
        self._running: set[Work] = set()
        self._idle: _Idle | None = None

    def load(self, load: "Callable[[], Engine]", key: Hashable = None) -> "Future[Engine]":
        """Replace the engine of all clients; see `EngineThread.load`."""
        self.stop_idle()
        return self.thread.load(load, key)

    @property
    def has_failed(self) -> bool:
        """Whether the last load, if there was any, has ended without an engine."""
        return self.thread.has_failed

    def run(
        self,
        task: "Callable[[Engine], Result]",
        work: Work,
        priority: Priority = Priority.INTERACTIVE,
    ) -> "Future[Result | None]":
        """The result of `task`; None if `work` was stale before its turn came, or the model was
        replaced.

        The future raises NoEngineError when no model is loaded. `task` has to watch `work`.
        """
        thread, load = self.thread, self.thread.loads

        def run() -> Result | None:
            if work.stale or load != thread.loads:
                return None
            return task(thread.current())

        self.stop_idle()
        if priority <= Priority.BY_HAND:
            thread.others_give_way(self)
        self._running.add(work)
        future = thread.submit(queued := Task(priority, self, run))
        # Not at the end of `run`: a future that is cancelled while it waits never gets there.
        queued.future.add_done_callback(lambda done: self._running.discard(work))
        return future

    def run_when_idle(
        self,
        task: "Callable[[Engine, Callable[[], bool]], None]",
        uri: str,
        works: Sequence[Work] = (),
    ) -> "Future[None]":
        """Run a task for the document `uri`, which has to end soon after its argument is true.

        That is when anything else comes. It is begun again afterwards if that was for another
        client; otherwise `works` are abandoned. The future is done when the task has ended, for
        whatever reason.
        """
        self.stop_idle()
        idle = self._idle = _Idle(uri, works)
        thread, load = self.thread, self.thread.loads

        def is_over() -> bool:
            return idle.stale or not thread.may_go_on(lambda: idle.stale)

        def run() -> None:
            if idle.stale or load != thread.loads or thread.engine is None:
                finish()
                return
            thread.budget.begin()
            try:
                if not is_over():
                    task(thread.engine, is_over)
            except Exception:
                LOGGER.exception("reading ahead in %s", uri)
                idle.abandon()
            if not idle.stale and thread.is_wanted_by_others():
                submit()
            else:
                finish()

        def finish() -> None:
            if not ended.done():
                ended.set_result(None)

        def submit() -> None:
            queued = Task(Priority.IDLE, self, run)
            queued.future.add_done_callback(lambda done: done.cancelled() and ended.cancel())
            thread.submit(queued)

        ended: Future[None] = Future()
        submit()
        return ended

    @property
    def loading(self) -> "Future[Engine] | None":
        """The last load of any client."""
        return self.thread.loading

    def serves(self, engine: "Engine") -> bool:
        """See `EngineThread.serves`."""
        return self.thread.serves(engine)

    @property
    def turn_is_wanted(self) -> bool:
        """Whether others wait for the end of the task under way; engine's thread only."""
        return self.thread.turns.are_wanted

    @property
    def is_idle_time(self) -> bool:
        """Whether nothing waits that goes before tasks of idle times."""
        return not self.thread.is_wanted_by_others()

    def stop_idle(self, uri: str | None = None) -> None:
        """End the task of idle times, if it is for the document `uri` or whatever it is for."""
        if self._idle is not None and uri in (None, self._idle.uri):
            self._idle.abandon()
            self._idle = None

    def abandon_all(self) -> None:
        """Abandon all tasks of this client."""
        self.stop_idle()
        for work in list(self._running):
            work.abandon()

    def leave(self) -> None:
        """Abandon all tasks of this client and let the thread forget it."""
        self.abandon_all()
        self.thread.leave(self)

    def close(self, seconds: float) -> bool:
        """End the thread, for all clients; returns whether it became idle within `seconds`."""
        return self.thread.close(seconds)
