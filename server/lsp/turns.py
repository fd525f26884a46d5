"""Turns with the engine: what runs, and what may go first between two of its steps.

A task is interrupted by more urgent ones, which run to their end before it goes on, on the same
thread: an answer to a key never waits for a long text. Of two clients' completions while typing the
newer one goes first, until the older one has waited for `MOST_WAIT` seconds.
"""

import time

from midline.server.lsp.scheduler import Priority, Scheduler, Task

MOST_WAIT = 1.0
"""Seconds that a completion gives way to others of its own class."""
MOST_NESTED = 6
"""Tasks that may be under way, all but one of them interrupted."""
STEP_TOKENS = {Priority.INTERACTIVE: 256, Priority.BY_HAND: 64, Priority.BACKGROUND: 64}
"""Tokens of a prompt that are computed between two breaks; fewer of what others may interrupt."""
QUIET_STEP_TOKENS, QUIET_SECONDS = 256, 10.0
"""Tokens of every prompt while nobody has typed for so long: longer steps are quicker by the token.
"""
_NEVER_FIRST = frozenset({Priority.LOAD, Priority.IDLE})
"""What closes the engine, and what nobody waits for."""


class Turns:
    """The tasks under way, and the `Breaks` of their engine; used on its thread alone."""

    def __init__(self, queue: Scheduler) -> None:
        self._queue = queue
        self._under_way: list[Task] = []
        self._typed = float("-inf")

    def run(self, task: Task) -> None:
        """Run a task to its end."""
        self._under_way.append(task)
        if task.priority is Priority.INTERACTIVE:
            self._typed = time.monotonic()
        try:
            task.run()
        finally:
            self._under_way.pop()

    @property
    def step_tokens(self) -> int | None:
        """See `Breaks`."""
        if not self._under_way:
            return None
        tokens = STEP_TOKENS.get(self._under_way[-1].priority)
        is_quiet = time.monotonic() - self._typed > QUIET_SECONDS
        return QUIET_STEP_TOKENS if tokens is not None and is_quiet else tokens

    def __call__(self) -> None:
        """Run what may interrupt the task under way. It must be between two steps."""
        if not self._under_way or len(self._under_way) >= MOST_NESTED:
            return
        running = self._under_way[-1]
        if running.priority in _NEVER_FIRST:
            return
        while (task := self._queue.take_if(lambda task: _goes_first(task, running))) is not None:
            began = time.monotonic()
            self.run(task)
            if task.priority is running.priority:
                running.waited += time.monotonic() - began

    @property
    def are_wanted(self) -> bool:
        """Whether others wait for the end of the task under way: one in front of its class or in
        it, or one that it has interrupted.
        """
        if not self._under_way:
            return False
        mine = self._under_way[-1].priority
        return len(self._under_way) > 1 or self._queue.has_as_urgent(mine)


def _goes_first(task: Task, running: Task) -> bool:
    if task.priority in _NEVER_FIRST:
        return False
    if task.priority is running.priority is Priority.INTERACTIVE:
        return task.client is not running.client and running.waited < MOST_WAIT
    return task.priority < running.priority
