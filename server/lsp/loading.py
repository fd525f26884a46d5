"""Loading a model in the background, with a progress bar where the client has one."""

import asyncio
import logging
import uuid
from typing import TYPE_CHECKING

from lsprotocol import types

from midline.model.errors import MidlineError
from midline.server.logs import log_hint
from midline.server.lsp.answers import answer
from midline.server.lsp.prompt_window import WindowPlanner

if TYPE_CHECKING:
    from midline.model.engines.base import Engine
    from midline.server.lsp.server import MidlineServer

LOGGER = logging.getLogger(__name__)


async def load_model(ls: "MidlineServer") -> None:
    """Load the model of the settings; a failure is one sentence to the user, the log has more."""
    ls.load_settled.clear()
    settings = ls.session.settings
    bar = await _ProgressBar.begin(ls, f"Midline: loading {settings.model}")
    loop = asyncio.get_running_loop()

    def progress(share: float) -> None:
        loop.call_soon_threadsafe(bar.report, share)

    def load() -> "Engine":
        engine = ls.load_engine(settings, progress)
        ls.planner = WindowPlanner()
        ls.planner.measure(engine)
        return engine

    try:
        engine = await asyncio.wrap_future(ls.engine.load(load))
        LOGGER.info("loaded %s", engine.name)
        if engine.note:
            ls.tell(f"Midline: {engine.note}", types.MessageType.Info)
    except MidlineError as error:
        LOGGER.warning("%s", error, exc_info=error.__cause__)
        ls.tell(f"Midline: {error}")
    except Exception:
        LOGGER.exception("loading %s", settings.model)
        ls.tell(f"Midline could not load {settings.model}; {log_hint()}")
    finally:
        bar.end()
        ls.load_settled.set()


class _ProgressBar:
    """Reports `$/progress` in whole percents, if the client supports it."""

    def __init__(self, ls: "MidlineServer", token: str | None) -> None:
        self._ls, self._token, self._percentage = ls, token, 0

    @classmethod
    async def begin(cls, ls: "MidlineServer", title: str) -> "_ProgressBar":
        window = ls.client_capabilities.window
        if window is None or not window.work_done_progress:
            return cls(ls, None)
        token = str(uuid.uuid4())
        params = types.WorkDoneProgressCreateParams(token)
        question = ls.window_work_done_progress_create_async(params)
        method = types.WINDOW_WORK_DONE_PROGRESS_CREATE
        if await answer(question, method, otherwise=False) is False:
            return cls(ls, None)
        ls.work_done_progress.begin(
            token, types.WorkDoneProgressBegin(title=title, percentage=0, cancellable=False)
        )
        return cls(ls, token)

    def report(self, share: float) -> None:
        percentage = min(100, int(100 * share))
        if self._token is not None and percentage > self._percentage:
            self._percentage = percentage
            self._ls.work_done_progress.report(
                self._token, types.WorkDoneProgressReport(percentage=percentage)
            )

    def end(self) -> None:
        if self._token is not None:
            self._ls.work_done_progress.end(self._token, types.WorkDoneProgressEnd())
            self._token = None
