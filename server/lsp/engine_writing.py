"""Longer texts of the model for commands: on the engine's thread, with progress and cancel."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from midline.kernels import CancelFlag
from midline.model.errors import MidlineError
from midline.server.lsp.progress_bar import ProgressBar
from midline.server.lsp.scheduler import Priority

if TYPE_CHECKING:
    from midline.model.cancellation import Cancellation
    from midline.model.engines.base import Engine
    from midline.server.lsp.server import MidlineServer

Written = TypeVar("Written")


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


async def written(
    ls: "MidlineServer", title: str, write: "Callable[[Engine, Cancellation], Written]"
) -> Written:
    """What `write` makes of the model's text, with a progress bar that cancels it.

    A cancelled request stops the model, too. Raises MidlineError, NoEngineError.
    """
    work = WritingWork()
    await ls.load_settled.wait()
    bar = await ProgressBar.begin(ls, title, work.abandon)
    try:
        found = await asyncio.wrap_future(
            ls.engine.run(lambda engine: write(engine, work.flag), work, Priority.BACKGROUND)
        )
    except asyncio.CancelledError:
        work.abandon()
        raise
    finally:
        bar.end()
    if found is None:
        raise MidlineError("it was stopped before the model had answered")
    return found
