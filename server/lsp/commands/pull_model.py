"""midline.pullModel: downloads a model of the catalogue and loads it."""

import asyncio
import contextlib
import threading
from dataclasses import replace
from typing import Any

from pygls.exceptions import JsonRpcInvalidParams

from midline.model.catalog.catalog import ModelEntry, find_entry
from midline.model.catalog.pull import configured_sources, pull
from midline.model.errors import MidlineError
from midline.server.logs import LOGGER
from midline.server.lsp.commands.failure import CommandFailedError
from midline.server.lsp.engine_state import EngineState
from midline.server.lsp.loading import load_model
from midline.server.lsp.progress_bar import ProgressBar
from midline.server.lsp.server import MidlineServer


class _CancelledError(MidlineError):
    """The user has cancelled the download."""


async def pull_model(ls: MidlineServer, name: str | None = None) -> dict[str, Any]:
    """Download the model `name`, or that of the settings, then load it; the status afterwards.

    It can be cancelled by its progress or as a request: the next call goes on where it was. Raises
    CommandFailedError with one sentence.
    """
    if not isinstance(name, str | None):
        raise JsonRpcInvalidParams("midline.pullModel takes the name of a model")
    model = name or ls.session.settings.model
    try:
        entry = find_entry(model)
        await _pull(ls, entry)
    except MidlineError as error:
        LOGGER.warning("%s", error, exc_info=error.__cause__)
        raise CommandFailedError(f"Midline: {error}") from error
    ls.session.use(replace(ls.session.settings, model=entry.name))
    await load_model(ls)
    return ls.status.status.as_params()


async def _pull(ls: MidlineServer, entry: ModelEntry) -> None:
    """Download on a thread of its own, shown to all clients; whoever waits may cancel it."""
    loop, board = asyncio.get_running_loop(), ls.engine.thread.board
    cancelled = threading.Event()
    before = board.current
    bar = await ProgressBar.begin(ls, f"Midline: downloading {entry.name}", cancelled.set)
    done: asyncio.Future[None] = loop.create_future()

    def report(fetched: int) -> None:
        if cancelled.is_set():
            raise _CancelledError(
                f"the download of {entry.name} was cancelled; the same command continues it"
            )
        share = round(fetched / entry.bytes, 2)
        board.post(_downloading(entry, share))
        loop.call_soon_threadsafe(bar.report, share)

    def run() -> None:
        error: Exception | None = None
        try:
            pull(entry, configured_sources(), report, lambda said: LOGGER.info("%s", said))
        except Exception as failure:  # noqa: BLE001 - it is raised where it is awaited
            error = failure
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(_settle, done, error)

    threading.Thread(target=run, name="pull", daemon=True).start()
    try:
        await done
    finally:
        cancelled.set()
        bar.end()
        if (board.current.name, board.current.model) == ("loading", entry.name):
            board.post(before)


def _settle(done: "asyncio.Future[None]", error: Exception | None) -> None:
    if done.done():
        return
    if error is None:
        done.set_result(None)
    else:
        done.set_exception(error)


def _downloading(entry: ModelEntry, share: float) -> EngineState:
    message = f"{entry.name} is being downloaded: {100 * share:.0f}%."
    return EngineState("loading", entry.name, share, message)
