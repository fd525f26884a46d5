"""The order in which the engine's thread runs the tasks of several clients.

A more urgent class comes first. Within a class the client comes first that was served the longest
ago. Of one client's completions the newest comes first, since its user is there; what runs in the
background keeps its order.
"""

import itertools
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any


class Priority(IntEnum):
    """How urgent a task is; lower values come first.

    LOAD: a model, or its release. INTERACTIVE: somebody types. BY_HAND: somebody has asked for
    completions at a cursor. BACKGROUND: somebody waits, but for a longer text. IDLE: nobody waits.
    """

    LOAD = 0
    INTERACTIVE = 1
    BY_HAND = 2
    BACKGROUND = 3
    IDLE = 4


_NEWEST_FIRST = frozenset({Priority.INTERACTIVE, Priority.BY_HAND, Priority.IDLE})


@dataclass(eq=False)
class Task:
    """A call for the engine's thread, which completes `future`; `client` is whom it is for.

    waited: seconds that it was interrupted by tasks of its own class.
    """

    priority: Priority
    client: object
    call: Callable[[], Any]
    future: "Future[Any]" = field(default_factory=Future)
    number: int = 0
    waited: float = 0.0

    def run(self) -> None:
        """Make the call, unless the future was cancelled; its result or error is the future's."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self.call()
        except BaseException as error:  # noqa: BLE001 - it is raised where the result is awaited
            self.future.set_exception(error)
        else:
            self.future.set_result(result)


class Scheduler:
    """The waiting tasks; every method may be called from any thread."""

    def __init__(self) -> None:
        self._waiting: list[Task] = []
        self._served: dict[object, int] = {}
        self._turns = itertools.count(1)
        self._numbers = itertools.count(1)
        self._changed = threading.Condition()
        self._is_closed = False

    def put(self, task: Task) -> None:
        """Add a task; after `close` it is cancelled at once."""
        with self._changed:
            is_late = self._is_closed
            if not is_late:
                task.number = next(self._numbers)
                self._waiting.append(task)
                self._changed.notify()
        if is_late:
            task.future.cancel()

    def take(self) -> Task | None:
        """The next task, as soon as there is one; None after `close` when nothing waits."""
        with self._changed:
            while not self._waiting and not self._is_closed:
                self._changed.wait()
            if not self._waiting:
                return None
            return self._take(self._waiting)

    def take_if(self, may_run: Callable[[Task], bool]) -> Task | None:
        """The next of the tasks that `may_run`, if one waits."""
        with self._changed:
            found = [task for task in self._waiting if may_run(task)]
            return self._take(found) if found else None

    def _take(self, tasks: Sequence[Task]) -> Task:
        task = self._first(tasks)
        self._waiting.remove(task)
        self._served[task.client] = next(self._turns)
        return task

    def _first(self, tasks: Sequence[Task]) -> Task:
        priority = min(task.priority for task in tasks)
        urgent = [task for task in tasks if task.priority is priority]
        newest = priority in _NEWEST_FIRST

        def rank(task: Task) -> tuple[int, int]:
            return self._served.get(task.client, 0), -task.number if newest else task.number

        return min(urgent, key=rank)

    def has_more_urgent(self, priority: Priority) -> bool:
        """Whether a task waits that should not wait for one of this class."""
        with self._changed:
            return any(task.priority < priority for task in self._waiting)

    def has_as_urgent(self, priority: Priority) -> bool:
        """Whether a task of this class waits, or a more urgent one."""
        with self._changed:
            return any(task.priority <= priority for task in self._waiting)

    def forget(self, client: object) -> list[Task]:
        """Remove and return what waits for a client that has left."""
        with self._changed:
            dropped = [task for task in self._waiting if task.client is client]
            self._waiting = [task for task in self._waiting if task.client is not client]
            self._served.pop(client, None)
        return dropped

    def close(self) -> None:
        """Take no more tasks; those that wait are still run."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
