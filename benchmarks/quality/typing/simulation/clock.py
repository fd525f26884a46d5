"""A clock that advances only while everything waits: an event loop and one worker thread on it.

Computing takes no time on this clock. The worker says how long its work would have taken by
sleeping; the loop's timers and that sleep then end in the order of their times. A run gives the
same result on a busy machine as on an idle one.
"""

import asyncio
import math
import selectors
import threading
from collections.abc import Callable
from typing import Any

_Events = list[tuple[Any, int]]


class SimulatedClock:
    """The time in seconds, and the time that `threads` processors were busy.

    `sleep` belongs to the worker; the event loop waits by `wait`. `is_at_work` tells the clock when
    the worker has something to do: time stands still until it sleeps or rests.
    """

    def __init__(self, threads: int = 2) -> None:
        self.now = 0.0
        self.cpu = 0.0
        self.threads = threads
        self._wake_up: Callable[[], None] = lambda: None
        self._changed = threading.Condition()
        self._is_at_work = False
        self._wakes_at: float | None = None

    def perf_counter(self) -> float:
        """Seconds since the beginning."""
        return self.now

    monotonic = perf_counter

    def process_time(self) -> float:
        """Processor seconds so far."""
        return self.cpu

    def sleep(self, seconds: float, *, busy: bool = False) -> None:
        """Let the worker wait, or with `busy` compute, for so long."""
        with self._changed:
            self._wakes_at = self.now + max(0.0, seconds)
            self.cpu += max(0.0, seconds) * self.threads if busy else 0.0
            self._wake_up()
            while self._wakes_at is not None:
                self._changed.wait()

    def is_at_work(self, at_work: bool) -> None:
        """The worker has something to do, or rests."""
        with self._changed:
            self._is_at_work = at_work
        if not at_work:
            self._wake_up()

    def wait(self, select: Callable[[float | None], _Events], timeout: float | None) -> _Events:
        """Wait for an event or, on this clock, `timeout` seconds, as a selector does."""
        if timeout is not None and timeout <= 0:
            return select(0)
        if self._is_at_work and self._wakes_at is None:
            return select(None)
        if ready := select(0):
            return ready
        due = math.inf if timeout is None else self.now + timeout
        with self._changed:
            if self._wakes_at is not None and self._wakes_at <= due:
                self.now = self._wakes_at
                self._wakes_at = None
                self._changed.notify_all()
                return []
        if math.isinf(due):
            return select(None)
        self.now = due
        return []

    def loop(self) -> asyncio.AbstractEventLoop:
        """An event loop on this clock."""
        made = _Loop(self)
        self._wake_up = lambda: _call_soon(made)
        return made


def _call_soon(loop: asyncio.AbstractEventLoop) -> None:
    if not loop.is_closed():
        loop.call_soon_threadsafe(lambda: None)


class _Selector(selectors.DefaultSelector):
    """A selector that waits on a simulated clock."""

    clock: SimulatedClock

    def select(self, timeout: float | None = None) -> _Events:
        """See `selectors.BaseSelector`."""
        return self.clock.wait(super().select, timeout)


class _Loop(asyncio.SelectorEventLoop):
    def __init__(self, clock: SimulatedClock) -> None:
        selector = _Selector()
        selector.clock = clock
        self._simulated = clock
        super().__init__(selector)

    def time(self) -> float:
        return self._simulated.now
