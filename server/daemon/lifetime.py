"""How long the engine process and its model stay."""

import os
import time
from dataclasses import dataclass, replace

from midline.model.errors import UsageError

LINGER_VARIABLE = "MIDLINE_ENGINE_SECONDS"
MINUTE = 60.0


@dataclass(frozen=True)
class Limits:
    """linger_seconds: how long the process stays without clients. release_seconds: how long the
    model stays in memory without being used.
    """

    linger_seconds: float = 10 * MINUTE
    release_seconds: float = 15 * MINUTE

    @classmethod
    def from_environment(cls) -> "Limits":
        """The defaults, with the seconds of MIDLINE_ENGINE_SECONDS; UsageError."""
        text = os.environ.get(LINGER_VARIABLE, "")
        if not text:
            return cls()
        try:
            seconds = float(text)
        except ValueError:
            raise UsageError(f"{LINGER_VARIABLE} is {text!r:.40}, it must be a number") from None
        return replace(cls(), linger_seconds=seconds)


class Lifetime:
    """Decides by the time since the last client and the last use; times are of `monotonic`."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self._left_at = time.monotonic()

    def client_left(self) -> None:
        """Note that there is no client from now on."""
        self._left_at = time.monotonic()

    def is_over(self, clients: int) -> bool:
        """Whether the process should end."""
        idle = time.monotonic() - self._left_at
        return clients == 0 and idle >= self.limits.linger_seconds

    def should_release(self, used_at: float) -> bool:
        """Whether the model should be released, which was used last at `used_at`."""
        return time.monotonic() - used_at >= self.limits.release_seconds
