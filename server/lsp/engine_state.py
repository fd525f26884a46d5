"""What the engine is doing, told to everybody who listens."""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

Listener = Callable[["EngineState"], None]


@dataclass(frozen=True)
class EngineState:
    """The state of the engine and its model, the same for all clients.

    name: `loading`, `ready`, `noModel` or `failed`. progress: from 0 to 1 while loading. message:
    one sentence for a person.
    """

    name: str = "noModel"
    model: str | None = None
    progress: float | None = None
    message: str = "No model has been asked for yet."


class StateBoard:
    """The current state and its listeners, which are called on the thread that posts."""

    def __init__(self) -> None:
        self.current = EngineState()
        self.tokens_per_second: float | None = None
        """Decoding speed of the last completion, of whichever client."""
        self._listeners: list[Listener] = []

    def post(self, state: EngineState) -> None:
        """Make `state` the current one and tell the listeners."""
        if state != self.current:
            self.current = state
            for listener in list(self._listeners):
                listener(state)

    def listen(self, listener: Listener) -> Callable[[], None]:
        """Call `listener` with every state from now on, until the result is called."""
        self._listeners.append(listener)

        def leave() -> None:
            with contextlib.suppress(ValueError):
                self._listeners.remove(listener)

        return leave
