"""Cancellation of work in progress, as every engine understands it."""

from typing import Protocol


class Cancellation(Protocol):
    """A flag that another thread may set: `kernels.CancelFlag` or `threading.Event`.

    The native engine looks at a `kernels.CancelFlag` between two layers of the model, and at any
    other flag between two steps (a forward pass over at most 512 tokens).
    """

    def is_set(self) -> bool:
        """Whether the work is to end as soon as possible."""
        ...


class Cancelled(Exception):
    """The work was cancelled; what was computed before stays valid."""
