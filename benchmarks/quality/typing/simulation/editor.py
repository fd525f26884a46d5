"""An editor at a server in its own process, both on a simulated clock."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from typing import Any
from unittest import mock

from midline.benchmarks.quality.typing.editor import LspEditor, ask_again
from midline.benchmarks.quality.typing.simulation.clock import SimulatedClock
from midline.benchmarks.quality.typing.simulation.engine import SimulatedEngine
from midline.server.lsp.engine_policy import IdleBudget
from midline.server.lsp.engine_thread import EngineThread
from midline.server.lsp.features.cursor import METHOD, cursor
from midline.server.lsp.features.did_change import did_change
from midline.server.lsp.features.did_close import did_close
from midline.server.lsp.features.did_open import did_open
from midline.server.lsp.features.inline_completion import inline_completion
from midline.server.lsp.prompt_window import ReadingSpeed
from midline.server.lsp.renewal import Asked
from midline.server.lsp.scheduler import Scheduler, Task
from midline.server.lsp.server import MidlineServer
from midline.server.lsp.settings import Settings

_TIMED = (
    "benchmarks.quality.typing.editor",
    "benchmarks.quality.typing.measure",
    "benchmarks.quality.typing.session",
    "server.lsp.answering",
    "server.lsp.engine_thread",
    "server.lsp.features.did_change",
    "server.lsp.pauses",
    "server.lsp.prompt_window",
    "server.lsp.session",
    "server.lsp.suggestions",
)
"""The modules that read the time, or sleep."""
_LOAD_SECONDS = 600
_REST_SECONDS = 30.0
_MEASURED_TOKENS = 96


class _Queue(Scheduler):
    """A scheduler that tells the clock whether its thread has something to do."""

    def __init__(self, clock: SimulatedClock) -> None:
        super().__init__()
        self._clock = clock

    def put(self, task: Task) -> None:
        """See `Scheduler`."""
        with self._changed:
            self._clock.is_at_work(True)
            super().put(task)

    def take(self) -> Task | None:
        """See `Scheduler`."""
        with self._changed:
            if not self._waiting:
                self._clock.is_at_work(False)
            return super().take()


class _Server(MidlineServer):
    """A server that tells an editor in its own process that another text is there."""

    tell_editor: Callable[[Any], None] = staticmethod(lambda params: None)

    def renewed(self, asked: Asked) -> None:
        """See `MidlineServer`."""
        self.tell_editor(asked.as_params())


class _Wire:
    """What an editor calls a language client for, answered by the server's own functions."""

    _server = None

    def __init__(self, server: MidlineServer) -> None:
        self.server, self.protocol = server, self
        self._tasks: dict[Any, asyncio.Task[Any]] = {}

    def text_document_did_open(self, params: Any) -> None:
        """See the protocol."""
        did_open(self.server, params)

    def text_document_did_change(self, params: Any) -> None:
        """See the protocol."""
        did_change(self.server, params)

    def text_document_did_close(self, params: Any) -> None:
        """See the protocol."""
        did_close(self.server, params)

    def send_request(self, method: str, params: Any, msg_id: Any) -> "asyncio.Task[Any]":
        """Ask for a completion."""
        task = self._tasks[msg_id] = asyncio.ensure_future(inline_completion(self.server, params))
        task.add_done_callback(lambda done: self._tasks.pop(msg_id, None))
        return task

    def notify(self, method: str, params: Any) -> None:
        """Cancel a request, or say where the cursor is."""
        if method == METHOD:
            cursor(self.server, params)
            return
        task = self._tasks.get(params.id)
        if task is not None:
            task.cancel()


class _NoLog:
    """Counts what the server's planner has read."""

    def __init__(self, server: MidlineServer) -> None:
        self._server = server

    def count(self) -> int:
        return self._server.planner.tokens_read + self._server.pauses.tokens_read


@dataclass
class SimulatedEditor(LspEditor):
    """An editor whose server computes on `clock`."""

    clock: SimulatedClock | None = None

    async def settle(self) -> None:
        """Wait until the server does nothing."""
        self._cancel()
        await asyncio.sleep(_REST_SECONDS)

    def cpu_seconds(self) -> float | None:
        """Processor time of the engine so far."""
        assert self.clock is not None
        return self.clock.cpu


@contextmanager
def simulated(clock: SimulatedClock) -> Iterator[None]:
    """Let the server and the editor read the time from a simulated clock."""
    with ExitStack() as stack:
        for name in _TIMED:
            stack.enter_context(mock.patch.object(import_module(f"midline.{name}"), "time", clock))
        yield


def simulated_editor(
    engine: SimulatedEngine,
    clock: SimulatedClock,
    settings: Settings,
    *,
    debounce: float,
    again: float,
    pause_engine: SimulatedEngine | None = None,
) -> SimulatedEditor:
    """An editor at a new server; to be called on the clock's loop, within `simulated`."""
    thread = EngineThread()
    thread._queue = _Queue(clock)
    thread.budget = IdleBudget(clock.monotonic, clock.process_time, lambda: False)
    server = _Server(thread=thread)
    server.session.use(settings)
    server.engine.load(lambda: engine).result(_LOAD_SECONDS)
    server.planner.speed = _speed_of(engine)
    if pause_engine is not None:
        thread.pause.keep(pause_engine, _speed_of(pause_engine))
    server.load_settled.set()
    wire: Any = _Wire(server)
    read: Any = _NoLog(server)
    editor = SimulatedEditor(wire, read, debounce, again, clock=clock)
    server.tell_editor = partial(ask_again, editor)
    return editor


def _speed_of(engine: SimulatedEngine) -> ReadingSpeed:
    """The prefill speed that a load would have measured."""
    speed = ReadingSpeed()
    speed.learn(_MEASURED_TOKENS, _MEASURED_TOKENS / engine.speed.prefill)
    return speed


def run(clock: SimulatedClock, main: Callable[[], Awaitable[None]]) -> None:
    """Run a coroutine function on the clock."""

    async def awaited() -> None:
        await main()

    with asyncio.Runner(loop_factory=clock.loop) as runner, simulated(clock):
        runner.run(awaited())
