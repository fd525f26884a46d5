"""Longer texts of the model for commands: on the engine's thread, with progress and cancel."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types

from midline.kernels import CancelFlag
from midline.model.errors import MidlineError
from midline.server.lsp.progress_bar import ProgressBar
from midline.server.lsp.scheduler import Priority

if TYPE_CHECKING:
    from midline.model.cancellation import Cancellation
    from midline.model.engines.base import DrawnToken, Engine, OnToken
    from midline.server.lsp.server import MidlineServer

Written = TypeVar("Written")
TELL_SECONDS = 0.1
"""Least time between two reports of a text that grows."""
_SHOWN = 72


class WritingWork:
    """A task of the engine's thread that the client may cancel."""

    def __init__(self) -> None:
        self.flag = CancelFlag()

    @property
    def stale(self) -> bool:
        """Whether nobody waits any more."""
        return self.flag.is_set()

    def abandon(self) -> None:
        """Stop the model."""
        self.flag.set()


class GrowingText:
    """The first sample's text, told to the client while it is written.

    Its last line stands beside the progress bar; a client that gave a `token` gets all of it as
    `$/progress` with `{"text"}`. Called on the engine's thread.
    """

    def __init__(self, ls: "MidlineServer", bar: ProgressBar, token: Any = None) -> None:
        self._ls, self._bar, self._token = ls, bar, token
        self._loop = asyncio.get_running_loop()
        self._ids: list[int] = []
        self._told = 0.0

    def listener(self, engine: "Engine") -> "OnToken":
        """What the engine calls for every token."""

        def hear(token: "DrawnToken") -> None:
            if token.sample != 0:
                return
            self._ids.append(token.id)
            now = time.monotonic()
            if now - self._told >= TELL_SECONDS:
                self._told = now
                text = engine.tokenizer.decode(self._ids)
                with contextlib.suppress(RuntimeError):  # the loop has ended
                    self._loop.call_soon_threadsafe(self._tell, text)

        return hear

    def _tell(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines() if line.strip()]
        if lines:
            self._bar.say(lines[-1][-_SHOWN:])
        if self._token is not None:
            params = types.ProgressParams(self._token, {"text": text})
            self._ls.protocol.notify(types.PROGRESS, params)


async def written(
    ls: "MidlineServer",
    title: str,
    write: "Callable[[Engine, Cancellation, OnToken], Written]",
    token: Any = None,
) -> Written:
    """What `write` makes of the model's text, with a progress bar that cancels it.

    `token` is the client's for the text while it grows. A cancelled request stops the model, too.
    Raises MidlineError, NoEngineError.
    """
    work = WritingWork()
    await ls.load_settled.wait()
    bar = await ProgressBar.begin(ls, title, work.abandon)
    growing = GrowingText(ls, bar, token)

    def run(engine: "Engine") -> Written:
        return write(engine, work.flag, growing.listener(engine))

    try:
        found = await asyncio.wrap_future(ls.engine.run(run, work, Priority.BACKGROUND))
    except asyncio.CancelledError:
        work.abandon()
        raise
    finally:
        bar.end()
    if found is None:
        raise MidlineError("it was stopped before the model had answered")
    return found
