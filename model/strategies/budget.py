"""Budgets of time or tokens, and the watch that ends work when one is spent or the user cancels."""

import math
import re
import threading
import time
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from midline.kernels import CancelFlag
from midline.model.cancellation import Cancellation
from midline.model.errors import UsageError

POLL_SECONDS = 0.01
_FORM = re.compile(r"(?P<number>\d+(?:\.\d+)?)[ ]*(?P<unit>s|ms|m|tok|tokens?)", re.IGNORECASE)
_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0}
LONGEST_SECONDS = 3600.0
MOST_TOKENS = 1_000_000


@dataclass(frozen=True)
class Budget:
    """Most seconds on the clock, or most tokens in and out of all calls; None for no limit.

    Time that loading a model takes is not part of it.
    """

    seconds: float | None = None
    tokens: int | None = None

    def __str__(self) -> str:
        if self.seconds is not None:
            return f"{self.seconds:g}s"
        return f"{self.tokens}tok" if self.tokens is not None else "no budget"


UNLIMITED = Budget()


def parse_budget(text: str) -> Budget:
    """The budget of "5s", "500ms", "1m" or "2000tok"; UsageError for anything else and for 0."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise UsageError(f"{text!r:.40} is no budget; write seconds as 5s or tokens as 2000tok")
    number, unit = float(found["number"]), found["unit"].lower()
    if number == 0:
        raise UsageError(f"a budget of {text.strip():.40} leaves nothing to answer with; give more")
    if unit in _UNITS:
        seconds = number * _UNITS[unit]
        if not math.isfinite(seconds) or seconds > LONGEST_SECONDS:
            raise UsageError(f"{text.strip():.40} is more than {LONGEST_SECONDS:.0f}s; give less")
        return Budget(seconds=seconds)
    if number != int(number) or number > MOST_TOKENS:
        raise UsageError(
            f"{text.strip():.40} is not a whole number of tokens up to {MOST_TOKENS}tok"
        )
    return Budget(tokens=int(number))


class Ended(Exception):
    """The budget is spent or the user cancelled; what was written so far is in the run."""


class Watch:
    """Ends drawing when the tokens are spent, and all work when the time is over or on `cancel`.

    drawing: for engines, which look at it between two layers; set `reserve` seconds before the time
    is over, so that what was drawn can still be executed. event: for programs that are executed.
    reason: why it ended: "", "budget" or "cancelled". Used in a `with` block.
    """

    def __init__(
        self, budget: Budget, cancel: Cancellation | None = None, reserve: float = 0.0
    ) -> None:
        self.budget = budget
        self.reserve = reserve
        self.drawing, self.event = CancelFlag(), threading.Event()
        self._flags: list[CancelFlag] = []
        self.reason = ""
        self.started = time.monotonic()
        self._cancel = cancel
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        if self._cancel is not None or self.budget.seconds is not None:
            self._thread = threading.Thread(target=self._look, daemon=True, name="budget")
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closed.set()
        if self._thread is not None:
            self._thread.join()

    @property
    def seconds(self) -> float:
        """Seconds since the beginning."""
        return time.monotonic() - self.started

    @property
    def seconds_left(self) -> float:
        """Seconds until the budget's end; infinite without one."""
        return math.inf if self.budget.seconds is None else self.budget.seconds - self.seconds

    @property
    def is_over(self) -> bool:
        """Whether work is to end."""
        return self.event.is_set()

    def check(self) -> None:
        """Raises Ended if work is to end."""
        if self.is_over:
            raise Ended

    def end(self, reason: str) -> None:
        """End the work; the first reason counts."""
        self.event.set()
        self.stop_drawing(reason)

    def stop_drawing(self, reason: str) -> None:
        """End drawing; what was drawn may be executed. The first reason counts."""
        if not self.reason:
            self.reason = reason
        self.drawing.set()
        for flag in self._flags:
            flag.set()

    def call_flag(self) -> CancelFlag:
        """A flag for an engine's call that is set with `drawing`, and may be set before."""
        flag = CancelFlag()
        self._flags.append(flag)
        if self.drawing.is_set():
            flag.set()
        return flag

    def _look(self) -> None:
        while not self._closed.wait(POLL_SECONDS):
            if self._cancel is not None and self._cancel.is_set():
                self.end("cancelled")
            elif self.seconds_left <= 0:
                self.end("budget")
            else:
                if self.seconds_left <= self.reserve:
                    self.stop_drawing("budget")
                continue
            return
