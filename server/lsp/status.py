"""What a user sees of Midline: `midline/status`, as a request and as a notification."""

import contextlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from midline.server.lsp.engine_state import EngineState
from midline.server.lsp.settings import option_name

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer
    from midline.server.lsp.suggestions import Answer

METHOD = "midline/status"


@dataclass(frozen=True)
class Status:
    """The parameters of `midline/status`, whose names on the wire are camelCase.

    state: `loading`, `ready`, `thinking`, `noModel`, `paused` or `failed`. message: one sentence
    for a person. progress: of loading, from 0 to 1. silent: why the last request was answered with
    nothing; None if it was answered with something.
    """

    state: str
    message: str
    model: str | None = None
    progress: float | None = None
    tokens_per_second: float | None = None
    last_milliseconds: float | None = None
    silent: str | None = None

    def as_params(self) -> dict[str, Any]:
        """The object on the wire."""
        return {option_name(name): value for name, value in asdict(self).items()}


class StatusLine:
    """The status of one client, which is told of every change; owned by the event loop."""

    def __init__(self, ls: "MidlineServer") -> None:
        self._ls = ls
        self._engine = EngineState()
        self._thinking = 0
        self._answered = Status("", "")
        self._told: Status | None = None

    @property
    def status(self) -> Status:
        """The status now."""
        engine, last = self._engine, self._answered
        state, message = engine.name, engine.message
        if self._ls.session.is_paused:
            state, message = "paused", "Midline is paused; midline.resume continues."
        elif state == "ready" and self._thinking:
            state = "thinking"
        return replace(
            last, state=state, message=message, model=engine.model, progress=engine.progress
        )

    def engine_is(self, state: EngineState) -> None:
        """Take in what the engine is doing."""
        self._engine = state
        self.tell()

    @contextlib.contextmanager
    def thinking(self) -> Iterator[None]:
        """While a completion is computed."""
        self._thinking += 1
        self.tell()
        try:
            yield
        finally:
            self._thinking -= 1

    def answered(self, answer: "Answer", milliseconds: float) -> None:
        """Take in how a request was answered; a stale one says nothing of what is offered."""
        result, speed = answer.result, self._answered.tokens_per_second
        if result is not None and result.timings.decode_tokens_per_second > 0:
            speed = round(result.timings.decode_tokens_per_second, 1)
            self._ls.engine.thread.board.tokens_per_second = speed
        silent = None
        if not answer.suggestions:
            silent = self.silence() or "nothing likely enough"
        self._take(Status("", "", None, None, speed, round(milliseconds, 1), silent))

    def refused(self, reason: str) -> None:
        """Take in that a request was answered with nothing, and why."""
        self._take(replace(self._answered, silent=reason))

    def _take(self, answered: Status) -> None:
        self._answered = answered
        self.tell()

    def tell(self) -> None:
        """Notify the client, if something has changed and it is there to be told."""
        status = self.status
        if status != self._told and self._ls.is_initialized:
            self._told = status
            self._ls.protocol.notify(METHOD, status.as_params())

    def silence(self) -> str:
        """Why nothing can be offered with the engine as it is; "" if something can."""
        engine = self._engine
        if engine.name == "loading":
            return f"loading {100 * (engine.progress or 0):.0f}%"
        return "" if engine.name == "ready" else "no model"
