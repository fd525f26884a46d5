"""How much of the machine the engine may take, for all clients: the last settings decide."""

import contextlib
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from midline.model.catalog.catalog import resolve
from midline.model.errors import MidlineError
from midline.model.threads import thread_count
from midline.server.power import on_battery

MEGABYTE = 1 << 20
BEYOND_THE_FILE = 350 * MEGABYTE
"""Memory that a loaded model takes at most besides its weights."""
_BURST_SECONDS = 20.0
"""Idle work may save up its share of this many seconds."""
_SECONDS_BETWEEN_LOOKS = 5.0


@dataclass(frozen=True)
class Policy:
    """idle_share: of all processors' time, for work that nobody waits for. save_battery: half of
    the threads, and no such work, on battery. memory_bytes: the most of the engine process.
    linger_seconds: how long the process stays without clients; release_seconds: how long the model
    stays unused. http: the address at which the engine process serves HTTP.
    """

    idle_share: float = 0.25
    save_battery: bool = True
    memory_bytes: int | None = None
    linger_seconds: float = 600.0
    release_seconds: float = 900.0
    http: str | None = None

    def check_memory(self, *models: str | Path) -> None:
        """Raise MidlineError if models together need more memory than there may be."""
        if self.memory_bytes is None:
            return
        needed = sum(resolve(model).stat().st_size + BEYOND_THE_FILE for model in models)
        if needed > self.memory_bytes:
            names = " and ".join(map(str, models))
            verb = "need" if len(models) > 1 else "needs"
            raise MidlineError(
                f"{names} {verb} up to {needed // MEGABYTE} MB of memory and "
                f"midline.memoryMegabytes allows {self.memory_bytes // MEGABYTE}; allow more, or "
                "choose a smaller model"
            )


def threads_now(wanted: int | None, save_battery: bool) -> int | None:
    """Threads to load the engine with: `wanted`, or half of the usual number on battery."""
    if wanted is not None or not (save_battery and on_battery()):
        return wanted
    return max(1, thread_count() // 2)


def be_nice(level: int) -> None:
    """Let other programs go first: the calling thread's niceness, and that of threads it begins.

    A thread that is nicer than that stays so, as the system wants it.
    """
    with contextlib.suppress(OSError):
        if level > 0:
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), level)


class IdleBudget:
    """Keeps work that nobody waits for within its share of the processors' time.

    The share is saved up while nothing is done, for at most 20 seconds. `clock` and `used` are the
    time and the processor time of the process, in seconds; `battery` says whether that is used.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.process_time,
        battery: Callable[[], bool] = on_battery,
    ) -> None:
        self._clock, self._used, self._battery = clock, used, battery
        self._processors = os.cpu_count() or 1
        self._at, self._used_at = clock(), used()
        self._saved: float | None = None
        self._looked_at, self._on_battery = float("-inf"), False

    def begin(self) -> None:
        """Begin to count: what the process did before was not idle work."""
        self._used_at = self._used()

    def wait(self, policy: Policy) -> float:
        """Seconds to wait before the next step; infinite where there may be none at all."""
        now, used = self._clock(), self._used()
        rate = policy.idle_share * self._processors
        saved = rate * _BURST_SECONDS if self._saved is None else self._saved
        saved += rate * (now - self._at) - (used - self._used_at)
        self._saved = min(saved, rate * _BURST_SECONDS)
        self._at, self._used_at = now, used
        if rate <= 0 or (policy.save_battery and self._is_on_battery(now)):
            return float("inf")
        return max(0.0, -self._saved / rate)

    def _is_on_battery(self, now: float) -> bool:
        if now - self._looked_at >= _SECONDS_BETWEEN_LOOKS:
            self._looked_at, self._on_battery = now, self._battery()
        return self._on_battery
