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
_PAUSE_INTERVALS, _SHORTEST_PAUSE = 2.0, 0.25
"""A pause has begun after so many intervals, and not before so many seconds."""
_LONGEST_PAUSE = 5.0


class TypingRhythm:
    """Running geometric means of the intervals between keys, and of those behind a line end."""

    def __init__(self) -> None:
        self._log_interval = math.log(START_SECONDS)
        self._log_at_lines: float | None = None
        self._last = -math.inf
        self._is_at_line = False

    def key(self, now: float, *, ends_line: bool = False) -> None:
        """Take in a key at the time `now` in seconds; a clock that jumps changes nothing."""
        interval, self._last = now - self._last, now
        was_at_line, self._is_at_line = self._is_at_line, ends_line
        if was_at_line and 0 < interval < _LONGEST_PAUSE:
            self._learn_at_lines(math.log(max(interval, 0.02)))
        elif 0 < interval < PAUSE_SECONDS:
            self._log_interval += _WEIGHT * (math.log(max(interval, 0.02)) - self._log_interval)

    def _learn_at_lines(self, log_interval: float) -> None:
        known = self._log_at_lines
        weight = 1.0 if known is None else _WEIGHT
        self._log_at_lines = (known or 0.0) + weight * (log_interval - (known or 0.0))

    @property
    def interval(self) -> float:
        """Seconds between keys."""
        return math.exp(self._log_interval)

    @property
    def patience(self) -> float:
        """Seconds after a key from which on an answer no longer waits for more text."""
        return min(max(_SHARE * self.interval, _LEAST), _MOST)

    @property
    def pause_at(self) -> float:
        """The time from which on the person has paused, unless another key comes before.

        Whoever thinks at the beginning of most lines has paused there at once.
        """
        pause = max(_PAUSE_INTERVALS * self.interval, _SHORTEST_PAUSE)
        thinks = self._log_at_lines is not None and math.exp(self._log_at_lines) > 2 * pause
        return self._last + (0.0 if self._is_at_line and thinks else pause)
