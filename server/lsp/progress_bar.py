"""Progress of long work, shown by clients that can: `$/progress` in whole percents."""

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING

from lsprotocol import types

from midline.server.lsp.answers import answer

if TYPE_CHECKING:
    from midline.server.lsp.server import MidlineServer


class ProgressBar:
    """One piece of work; does nothing for a client that shows no progress."""

    def __init__(self, ls: "MidlineServer", token: str | None) -> None:
        self._ls, self._token, self._percentage = ls, token, 0

    @classmethod
    async def begin(
        cls, ls: "MidlineServer", title: str, cancel: Callable[[], object] | None = None
    ) -> "ProgressBar":
        """Show a bar; with `cancel`, which is called then, the user may cancel the work."""
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
            token,
            types.WorkDoneProgressBegin(title=title, percentage=0, cancellable=cancel is not None),
        )
        if cancel is not None:
            asked = ls.work_done_progress.tokens[token]
            asked.add_done_callback(lambda done: done.cancelled() and cancel())
        return cls(ls, token)

    def report(self, share: float) -> None:
        """Show how much is done, from 0 to 1; what is less than before is not shown."""
        percentage = min(100, int(100 * share))
        if self._token is not None and percentage > self._percentage:
            self._percentage = percentage
            self._ls.work_done_progress.report(
                self._token, types.WorkDoneProgressReport(percentage=percentage)
            )

    def say(self, message: str) -> None:
        """Show a line of text beside the bar."""
        if self._token is not None:
            self._ls.work_done_progress.report(
                self._token, types.WorkDoneProgressReport(message=message)
            )

    def end(self) -> None:
        """Take the bar away."""
        if self._token is not None:
            self._ls.work_done_progress.end(self._token, types.WorkDoneProgressEnd())
            self._ls.work_done_progress.tokens.pop(self._token, None)
            self._token = None
