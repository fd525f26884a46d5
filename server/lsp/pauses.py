"""Pauses in typing: what comes to the screen behind the answer to the last key.

A text that was still growing when it was shown is shown in full once it is finished. If there is a
pause model (`midline.pauseModel`), it completes at the same place as soon as the person has paused,
by the rhythm of typing, and the first model has nothing to do. Its text takes the place of the
first one's where `model/completion/choosing.py` says so. It computes in idle times alone, and any
key ends it.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from midline.model.completion.choosing import PAUSE_GATE, Shown, is_sure, takes_its_place
from midline.server.lsp.live_completion import LiveCompletion
from midline.server.lsp.live_writing import write_at_pause
from midline.server.lsp.pause_engine import Loaded
from midline.server.lsp.prompt_window import WindowPlanner
from midline.server.lsp.renewal import Asked
from midline.server.lsp.suggestions import when_idle

if TYPE_CHECKING:
    from midline.model.engines.base import Engine
    from midline.server.lsp.server import MidlineServer
    from midline.server.lsp.session import Snapshot

LOGGER = logging.getLogger(__name__)
WANTED_SECONDS = 2.0
"""Most time to prefill the pause model's window: it is read at every place besides the first's."""


class Pauses:
    """The pause of one client; owned by the event loop."""

    def __init__(self, ls: "MidlineServer") -> None:
        self._ls = ls
        self._task: asyncio.Task[None] | None = None
        self._live: LiveCompletion | None = None
        self._planner: WindowPlanner | None = None
        """Of the engine that was used last; the engine's thread's."""

    @property
    def are_wanted(self) -> bool:
        """Whether the settings name a pause model and it is in memory."""
        return self._ls.session.settings.pause_model != "" and (
            self._ls.engine.thread.pause.name is not None
        )

    def stop(self) -> None:
        """End what waits for a pause, or is written in one: a key came, or something else."""
        if self._live is not None:
            self._live.abandon()
            self._live = None
        if self._task is not None and self._task is not asyncio.current_task():
            self._task.cancel()
        self._task = None

    def answered(self, snapshot: "Snapshot", asked: Asked, text: str) -> None:
        """Wait for a pause after the answer to a key, which was `text`."""
        self.stop()
        self._task = asyncio.ensure_future(self._until_paused(snapshot, asked, text))

    async def _until_paused(self, snapshot: "Snapshot", asked: Asked, text: str) -> None:
        ls = self._ls
        first = ls.session.live.get(snapshot.uri)
        while first is not None and not first.is_finished:
            await first.news(None)
        if first is not None and (first.stale or first.error is not None):
            return
        left = _left(first, snapshot)
        if left is not None and left.text != text and left.text.startswith(text):
            ls.renewed(asked)
        elif self.are_wanted and not (first is not None and first.at_pause and text):
            await asyncio.sleep(max(0.0, ls.rhythm.pause_at - time.perf_counter()))
            if left is None or not is_sure(left):
                await self._write(snapshot, asked, first)

    async def _write(
        self, snapshot: "Snapshot", asked: Asked, first: LiveCompletion | None
    ) -> None:
        """Let the pause model complete, and show what it writes if that is better."""
        ls = self._ls
        live = self._live = LiveCompletion(snapshot, gate=PAUSE_GATE, at_pause=True)

        def work(engine: "Engine", is_over: Callable[[], bool]) -> None:
            loaded = ls.engine.thread.pause.current()
            if loaded is None or live.is_finished:
                live.abandon()
            else:
                write_at_pause(loaded.engine, self._planner_of(loaded), live, is_over)

        ls.reading = ls.engine.run_when_idle(work, snapshot.uri, (live,))
        ls.reading.add_done_callback(lambda done: live.finish())
        while not live.is_finished:
            await live.news(None)
        self._live = None
        found = None if live.stale else _left(live, snapshot)
        if found is not None and takes_its_place(found, _left(first, snapshot)):
            LOGGER.info("%s: the pause model's text is shown", snapshot.uri)
            ls.session.replace_live(live)
            ls.renewed(asked)
        elif first is not None:
            when_idle(ls, first)

    def reading(self, snapshot: "Snapshot") -> Callable[[Callable[[], bool]], None]:
        """What reads the pause model's window for a place in an idle time, until its argument is
        true.
        """
        return partial(self._read, snapshot) if self.are_wanted else lambda is_over: None

    def _read(self, snapshot: "Snapshot", is_over: Callable[[], bool]) -> None:
        loaded = self._ls.engine.thread.pause.current()
        if loaded is not None:
            self._planner_of(loaded).read_wanted(loaded.engine, snapshot, is_over)

    def _planner_of(self, loaded: Loaded) -> WindowPlanner:
        if self._planner is None or self._planner.speed is not loaded.speed:
            self._planner = WindowPlanner(loaded.speed, wanted_seconds=WANTED_SECONDS)
        return self._planner

    @property
    def tokens_read(self) -> int:
        """Prompt tokens that the pause model has computed so far."""
        return self._planner.tokens_read if self._planner is not None else 0


def _left(live: LiveCompletion | None, snapshot: "Snapshot") -> Shown | None:
    """What a completion shows at a place, and how likely its tokens are; None for nothing."""
    if live is None or not live.follow(snapshot.document, snapshot.offset):
        return None
    left = live.left(snapshot.document, snapshot.offset)
    return Shown(left[0].text, len(live.typed), live.tokens) if left else None
