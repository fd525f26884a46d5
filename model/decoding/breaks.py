"""Breaks: what an engine lets go first between two steps of a call."""

from typing import Protocol


class Breaks(Protocol):
    """Called in the thread of an engine's call, before every step of it.

    It may call the engine again, but not close it: a step leaves nothing half done, and each call
    has sequences of its own. It must return before long, and must not raise.
    """

    @property
    def step_tokens(self) -> int | None:
        """Most tokens of a prompt to compute before the next break; None sets no limit."""
        ...

    def __call__(self) -> None:
        """Do what is more urgent, if there is something."""
        ...


def step_between(breaks: Breaks | None, wanted: int | None) -> int | None:
    """Tokens of a step: no more than are wanted, or fit between two breaks; None is all."""
    most = breaks.step_tokens if breaks else None
    return min(wanted, most) if wanted and most else wanted or most
