"""The typing rhythm, which sets the latency that completions aim at. It is never stored."""

import math

START_SECONDS = 0.2
"""Initial interval between keys: about 60 words per minute."""
PAUSE_SECONDS = 1.0
"""Longer intervals are pauses and are not counted."""
_SHARE = 0.8
"""Share of an interval within which a completion is shown, so that it can be read."""
_LEAST, _MOST = 0.1, 0.35
_WEIGHT = 0.15


class TypingRhythm:
    """A running geometric mean of the intervals between keys."""

    def __init__(self) -> None:
        self._log_interval = math.log(START_SECONDS)
        self._last = -math.inf

    def key(self, now: float) -> None:
        """Take in a key at the time `now` in seconds; a clock that jumps changes nothing."""
        interval, self._last = now - self._last, now
        if 0 < interval < PAUSE_SECONDS:
            self._log_interval += _WEIGHT * (math.log(max(interval, 0.02)) - self._log_interval)

    @property
    def interval(self) -> float:
        """Seconds between keys."""
        return math.exp(self._log_interval)

    @property
    def patience(self) -> float:
        """Seconds after a key from which on an answer no longer waits for more text."""
        return min(max(_SHARE * self.interval, _LEAST), _MOST)
