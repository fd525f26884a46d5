"""Where the time of a batch goes: prefill and decode, without its breaks."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from midline.model.decoding.breaks import Breaks
from midline.model.decoding.request import Timings


class Stopwatch:
    """Seconds and tokens of one batch.

    prefill: until all prompts that were begun have their first tokens; decode: the rest. computed:
    prompt tokens that were not cached. decoded: tokens drawn in decode, end tokens included.
    """

    def __init__(self, breaks: Breaks | None) -> None:
        self.computed = self.decoded = 0
        self._breaks = breaks
        self._seconds = {"prefill": 0.0, "decode": 0.0}
        self._away = 0.0

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Count the block as `prefill` or `decode`, less the breaks in it."""
        started, away = time.perf_counter(), self._away
        try:
            yield
        finally:
            self._seconds[what] += time.perf_counter() - started - (self._away - away)

    def take_break(self) -> None:
        """Let what is more urgent go first."""
        if self._breaks is not None:
            started = time.perf_counter()
            self._breaks()
            self._away += time.perf_counter() - started

    def timings(self) -> Timings:
        """The timings so far."""
        prefill, decode = self._seconds["prefill"], self._seconds["decode"]
        return Timings(
            load_ms=0.0,
            prefill_ms=prefill * 1e3,
            decode_ms=decode * 1e3,
            prefill_tokens_per_second=_rate(self.computed, prefill),
            decode_tokens_per_second=_rate(self.decoded, decode),
        )


def _rate(count: int, seconds: float) -> float:
    return count / seconds if seconds > 0 else 0.0
