"""How long the engine process and its model stay, and how much memory they may take."""

import logging
import os
import time
from collections.abc import Callable

from midline.model.errors import UsageError
from midline.server.lsp.engine_thread import EngineThread
from midline.server.machine import resident_bytes
from midline.server.power import on_battery

LOGGER = logging.getLogger(__name__)
LINGER_VARIABLE = "MIDLINE_ENGINE_SECONDS"
_SECONDS_BETWEEN_LOOKS = 10.0
_QUIET_SECONDS = 5.0
"""The model is loaded with another number of threads only when nobody types."""


def linger_seconds() -> float | None:
    """The seconds of MIDLINE_ENGINE_SECONDS, which go before the settings; UsageError."""
    text = os.environ.get(LINGER_VARIABLE, "")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise UsageError(f"{LINGER_VARIABLE} is {text!r:.40}, it must be a number") from None


class Lifetime:
    """Judges by the policy of the engine's thread; `clock` counts seconds, as `monotonic` does.

    linger: seconds that go before the policy's. battery: whether that is used. memory: bytes in
    use.
    """

    def __init__(
        self,
        thread: EngineThread,
        linger: float | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
        battery: Callable[[], bool] = on_battery,
        memory: Callable[[], int | None] = resident_bytes,
    ) -> None:
        self._thread, self._linger = thread, linger
        self._clock, self._battery, self._memory = clock, battery, memory
        self._left_at = clock()
        self._rested_at = float("-inf")
        self._was_on_battery, self._looked_at = battery(), clock()

    def client_left(self) -> None:
        """Note that there is no client from now on."""
        self._left_at = self._clock()

    def is_over(self, clients: int) -> bool:
        """Whether the process should end."""
        policy = self._thread.policy
        linger = policy.linger_seconds if self._linger is None else self._linger
        return clients == 0 and self._clock() - self._left_at >= linger

    def reason_to_release(self) -> str:
        """Why the memory of the model should be freed now; "" if it may stay."""
        if self._thread.engine is None:
            return ""
        policy, unused = self._thread.policy, self._clock() - self._thread.used_at
        if unused >= policy.release_seconds:
            return "it was not used for a while"
        most = policy.memory_bytes
        if most is not None and (memory := self._memory() or 0) > most:
            return f"the process takes {memory} bytes and may take {most}"
        if policy.save_battery and unused >= _QUIET_SECONDS and self._has_changed_power():
            return "the machine has changed between battery and mains"
        return ""

    def is_quiet_again(self) -> bool:
        """Whether the engine was used and has now rested for a while; once for every rest."""
        used = self._thread.used_at
        if used == self._rested_at or self._clock() - used < _QUIET_SECONDS:
            return False
        self._rested_at = used
        return True

    def _has_changed_power(self) -> bool:
        """Whether the power has changed since the last look, which is seldom: some are slow."""
        if self._clock() - self._looked_at < _SECONDS_BETWEEN_LOOKS:
            return False
        before, self._was_on_battery = self._was_on_battery, self._battery()
        self._looked_at = self._clock()
        return before != self._was_on_battery
