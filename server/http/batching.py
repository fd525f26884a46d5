"""The scheduler of HTTP requests: those of all clients are decoded together.

A request joins the batch that is running, between two steps, as soon as there is room in it. Where
the engine has no joining, requests take turns. Prompts that are to be read ahead wait until nothing
else is to do.

All work runs on the thread that owns the engine, which a `Runner` lends for one batch at a time:
a client of `server/lsp/engine_thread.py`, which editors and other servers share. A batch that
others wait for takes no more requests, and those that come meanwhile get the next turn.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from midline.kernels import CancelFlag
from midline.model.cancellation import Cancelled
from midline.model.decoding.options import SamplingOptions
from midline.model.decoding.request import DrawnToken, Generation, OnToken, Request
from midline.server.http.errors import HttpError
from midline.server.lsp.scheduler import Priority

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

MOST_ROWS = 32
"""Most completions in a batch: up to this many, no bit of one depends on the others."""
MOST_JOINED = 256
"""Requests after which a batch takes no more, so that others get their turn with the engine."""
TEXTS_ROOM, CURSORS_ROOM = 9600, 4800
"""Tokens of the cache for several texts, and for several completions at a cursor that interrupt
them; an editor's window has to find room beside both."""
READ_STEP = 64
"""Tokens of a prompt read ahead between two looks for a request."""
_SPARE_TOKENS = 128
"""Room that a request takes in the cache beside its tokens, as they lie in pages."""


class Work(Protocol):
    """What a runner asks of a task before its turn, and tells it."""

    @property
    def stale(self) -> bool:
        """Whether the result is no longer wanted."""
        ...

    def abandon(self) -> None:
        """Mark the work as no longer wanted."""


class Runner(Protocol):
    """Runs tasks on the thread that owns the engine."""

    def run(self, task: "Callable[[Engine], Any]", work: Work, priority: Priority) -> "Future[Any]":
        """The result of `task`; None if `work` was stale before its turn came, or the model was
        replaced.
        """
        ...

    def serves(self, engine: "Engine") -> bool:
        """Whether ids of this engine are those of the one that tasks get."""
        ...

    @property
    def turn_is_wanted(self) -> bool:
        """Whether others wait for the end of the task under way."""
        ...

    @property
    def is_idle_time(self) -> bool:
        """Whether nothing waits that goes before tasks of idle times."""
        ...


@dataclass(eq=False)
class Job:
    """One request on its way, in ids of `engine`."""

    engine: "Engine"
    request: Request
    options: SamplingOptions
    on_token: OnToken | None
    cancel: CancelFlag
    future: "Future[Generation]" = field(default_factory=Future)

    @property
    def size(self) -> int:
        """The room that it takes in the cache, in tokens."""
        own = self.options.max_tokens + len(self.request.align) + _SPARE_TOKENS
        return len(self.request.prompt) + self.options.samples * own


@dataclass(eq=False)
class _Reading:
    """A prompt to be read ahead, in ids of `engine`."""

    engine: "Engine"
    prompt: Sequence[int]
    future: "Future[None]" = field(default_factory=Future)


class Batcher:
    """Takes requests from any thread and decodes them on the engine's; see the module.

    priority: of its batches. room: tokens of the cache that several requests together may fill.
    """

    def __init__(
        self, runner: Runner, priority: Priority = Priority.BACKGROUND, room: int = TEXTS_ROOM
    ) -> None:
        self._runner, self._priority, self._room = runner, priority, room
        self._lock = threading.Lock()
        self._waiting: deque[Job] = deque()
        self._running: list[Job] = []
        self._reading: _Reading | None = None
        self._started: set[Priority] = set()
        """The classes that a turn was asked for in, and has not ended."""
        self.stale = False

    @property
    def running(self) -> int:
        """Requests that are being decoded."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Requests that wait for room."""
        return len(self._waiting)

    def submit(
        self,
        engine: "Engine",
        request: Request,
        options: SamplingOptions,
        *,
        on_token: OnToken | None = None,
        cancel: CancelFlag | None = None,
    ) -> "Future[Generation]":
        """The generation of a request that `engine` accepts (`Engine.check_prompt`).

        on_token: called on the engine's thread. cancel: ends the request alone; the future has what
        there is then, or raises Cancelled if it was not begun. The future raises what the engine
        raises, and HttpError 503 if another model is loaded before the turn of the request.
        """
        job = Job(engine, request, options, on_token, cancel or CancelFlag())
        with self._lock:
            self._waiting.append(job)
        self._start()
        return job.future

    def read_ahead(self, engine: "Engine", prompt: Sequence[int]) -> "Future[None]":
        """Reads a prompt into the prefix cache when nothing else is to do; the newest one only."""
        reading = _Reading(engine, prompt)
        with self._lock:
            before, self._reading = self._reading, reading
        if before is not None and not before.future.done():
            before.future.set_result(None)
        self._start()
        return reading.future

    def abandon(self) -> None:
        """Give up everything; see `Work`."""
        self.stale = True
        with self._lock:
            for job in (*self._waiting, *self._running):
                job.cancel.set()

    def _start(self) -> None:
        """Ask for turns with the engine for what is to do, unless they were asked for."""
        with self._lock:
            wanted = {self._priority: bool(self._waiting), Priority.IDLE: bool(self._reading)}
            asked = [p for p, is_wanted in wanted.items() if is_wanted and p not in self._started]
            self._started.update(asked)
        for priority in asked:
            task = self._read if priority is Priority.IDLE else self._decode
            turn = self._runner.run(task, self, priority)
            turn.add_done_callback(partial(self._ended, priority))

    def _ended(self, priority: Priority, turn: "Future[Any]") -> None:
        """After a turn: pass on its error, and ask for the next one."""
        error = None if turn.cancelled() else turn.exception()
        with self._lock:
            self._started.discard(priority)
            lost = [*self._waiting, *self._running] if error or self.stale else []
            if lost:
                self._waiting.clear()
                self._running.clear()
            if error:
                reading, self._reading = self._reading, None
        for job in lost:
            _fail(job.future, error or Cancelled())
        if error and reading:
            _fail(reading.future, error)
        if not self.stale:
            self._start()

    def _take(self, engine: "Engine") -> list[Job]:
        """Moves the jobs that there is room for from those that wait to those that run."""
        taken: list[Job] = []
        most = MOST_ROWS if engine.capabilities.joining else 1
        with self._lock:
            while self._waiting:
                job = self._waiting[0]
                rows = sum(other.options.samples for other in self._running) + job.options.samples
                size = sum(other.size for other in self._running) + job.size
                is_full = rows > most or size > min(self._room, engine.context_length)
                if self._running and is_full:
                    break
                self._waiting.popleft()
                if job.cancel.is_set():
                    _fail(job.future, Cancelled())
                    continue
                if not self._runner.serves(job.engine):
                    _fail(job.future, _replaced())
                    continue
                self._running.append(job)
                taken.append(job)
        return taken

    def _decode(self, engine: "Engine") -> None:
        """One batch."""
        begun = self._take(engine)
        if not begun:
            return
        batch = _Batch(self, engine, begun)
        try:
            batch.run()
        except Exception as error:  # noqa: BLE001 - those who asked get to know it
            for job in self._running:
                _fail(job.future, error)
        with self._lock:
            self._running.clear()

    def _read(self, engine: "Engine") -> None:
        """Read ahead until a request comes; what is read stays read, and the rest waits."""
        reading = self._reading
        if reading is None:
            return
        error: Exception | None = None
        try:
            if not self._runner.serves(reading.engine):
                raise _replaced()
            found = engine.prefill(reading.prompt, cancel=_Wanted(self), step_tokens=READ_STEP)
            is_over = found.is_complete or not engine.capabilities.prefill
        except Exception as raised:  # noqa: BLE001 - the one who asked gets to know it
            error, is_over = raised, True
        with self._lock:
            if not is_over or self._reading is not reading:
                return
            self._reading = None
        if error is None:
            reading.future.set_result(None)
        else:
            reading.future.set_exception(error)

    def _done(self, job: Job) -> None:
        with self._lock:
            self._running.remove(job)


class _Wanted:
    """Set while anything else is to do, or while all work is to end."""

    def __init__(self, batcher: Batcher) -> None:
        self._batcher = batcher

    def is_set(self) -> bool:
        batcher = self._batcher
        return batcher.stale or batcher.waiting > 0 or not batcher._runner.is_idle_time


class _Batch:
    """One call of `Engine.batch`, which others join. `jobs` are numbered as the engine does it."""

    def __init__(self, batcher: Batcher, engine: "Engine", begun: list[Job]) -> None:
        self._batcher, self._engine, self.jobs = batcher, engine, begun

    def is_set(self) -> bool:
        """Whether nobody waits for anything of the batch: its cancellation."""
        return all(job.cancel.is_set() for job in self._batcher._running)

    def run(self) -> None:
        """Decodes until all jobs are over."""
        first, joining = self.jobs[0], self._engine.capabilities.joining
        found = self._engine.batch(
            [_joined(job) if joining else job.request for job in self.jobs],
            first.options,
            cancel=self,
            on_token=self._on_token,
            on_done=self._on_done,
            more=self._more if joining else None,
        )
        for job, generation in zip(self.jobs, found, strict=True):
            if not job.future.done():  # the batch was cancelled
                job.future.set_result(generation)

    def _more(self) -> list[Request]:
        batcher = self._batcher
        if not batcher._waiting or len(self.jobs) >= MOST_JOINED or batcher._runner.turn_is_wanted:
            return []
        joined = self._batcher._take(self._engine)
        self.jobs += joined
        return [_joined(job) for job in joined]

    def _on_token(self, token: DrawnToken) -> None:
        job = self.jobs[token.prompt]
        if job.on_token is not None:
            job.on_token(token)

    def _on_done(self, number: int, generation: Generation) -> None:
        job = self.jobs[number]
        self._batcher._done(job)
        job.future.set_result(generation)


def _joined(job: Job) -> Request:
    return replace(job.request, options=job.options, cancel=job.cancel)


def _fail(future: "Future[Any]", error: BaseException) -> None:
    if not future.done():
        future.set_exception(error)


def _replaced() -> HttpError:
    return HttpError(503, "another model was loaded meanwhile; send the request again")
