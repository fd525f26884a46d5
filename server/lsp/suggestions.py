"""Completion requests: one live completion per document, from a key to its answer."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from midline.model.errors import MidlineError
from midline.server.logs import log_hint
from midline.server.lsp.engine_thread import NoEngineError
from midline.server.lsp.live_completion import LiveCompletion
from midline.server.lsp.live_writing import write, write_ahead
from midline.server.lsp.prompt_window import Plan
from midline.server.lsp.scheduler import Priority
from midline.server.lsp.session import Request, Snapshot

if TYPE_CHECKING:
    from midline.model.completion.ranking import Suggestion
    from midline.model.completion.task import CompletionResult
    from midline.model.engines.base import Engine
    from midline.server.lsp.server import MidlineServer

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """Suggestions, best first; `result` is None if nothing was computed for them.

    `suggestions` may be empty with a result, if the request became stale or the text was not likely
    enough to be shown. `plan` has the windows of the prompt.
    """

    suggestions: "list[Suggestion]"
    result: "CompletionResult | None" = None
    plan: Plan | None = None
    is_typed_ahead: bool = False


async def suggestions(
    ls: "MidlineServer",
    snapshot: Snapshot,
    *,
    automatic: bool,
    anew: bool = False,
    gated: bool = True,
) -> Answer:
    """The completions at the cursor; empty if a newer request or an edit made the request stale.

    A key that agrees with the document's live completion continues it. Otherwise, or with `anew`
    (for requests by hand, which may take longer), a new one is started. Unless `gated`, it shows
    what is unlikely, too.
    """
    session = ls.session
    request = session.begin(snapshot.uri)
    live = None
    try:
        if not anew and (answer := await _continued(ls, request, snapshot)):
            return answer
        if automatic and snapshot.settings.debounce_milliseconds:
            await asyncio.sleep(snapshot.settings.debounce_milliseconds / 1000)
        await ls.load_settled.wait()
        if request.stale:
            return Answer([])
        # The client's settings may have come in only now, together with the first model.
        snapshot = replace(snapshot, settings=session.settings)
        live = _begin(ls, LiveCompletion(snapshot, by_hand=anew, gated=gated))
        return await _answer(ls, live, request, snapshot, is_typed_ahead=False)
    except asyncio.CancelledError:
        # What is typed goes on being written for the next key; a request by hand has none.
        if anew and live is not None:
            session.forget(live)
        raise
    except NoEngineError:
        return Answer([])
    except MidlineError as error:
        ls.tell(f"Midline: {error}")
        return Answer([])
    except Exception:
        LOGGER.exception("completing %s", snapshot.uri)
        ls.tell(f"Midline could not complete here; {log_hint()}")
        return Answer([])
    finally:
        session.end(snapshot.uri, request)


async def _continued(ls: "MidlineServer", request: Request, snapshot: Snapshot) -> Answer | None:
    """The answer from what has been written, also ahead of the person; None if a completion has to
    be begun.
    """
    session, place = ls.session, (snapshot.document, snapshot.offset)
    live = session.live.get(snapshot.uri)
    if live is None or not live.follow(*place):
        live = None
    for ahead in (False, True):
        if ahead and (live := session.ahead.take(*place)):
            session.replace_live(live)
        if live is None:
            continue
        answer = await _answer(ls, live, request, snapshot, is_typed_ahead=True)
        if answer.suggestions or request.stale or _has_nothing_here(live):
            return answer
    return None


def _has_nothing_here(live: LiveCompletion) -> bool:
    """Whether a completion of the very place where it begins is over: another would be the same."""
    return live.typed == "" and live.is_finished and not (live.stale or live.by_hand)


def _begin(ls: "MidlineServer", live: LiveCompletion) -> LiveCompletion:
    """Begin a live completion of a document, in place of the one there was."""
    ls.session.replace_live(live)
    planner = ls.planner

    def finished(done: "Future[None]") -> None:
        live.error = None if done.cancelled() else done.exception()
        with contextlib.suppress(RuntimeError):  # the loop has ended
            live.loop.call_soon_threadsafe(when_idle, ls, live)
        live.finish()

    priority = Priority.BY_HAND if live.by_hand else Priority.INTERACTIVE
    writing = ls.engine.run(lambda engine: write(engine, planner, live), live, priority)
    writing.add_done_callback(finished)
    return live


async def _answer(
    ls: "MidlineServer",
    live: LiveCompletion,
    request: Request,
    snapshot: Snapshot,
    *,
    is_typed_ahead: bool,
) -> Answer:
    """The remaining text of the live completion, as soon as it may be shown.

    Until the typist's patience is over, the request waits for a longer text; afterwards for the
    first text that is whole.
    """
    show_at = request.began + _patience(ls, snapshot)
    while True:
        if request.stale:
            return Answer([], live.result, live.plan)
        left = live.left(snapshot.document, snapshot.offset)
        now = time.perf_counter()
        if live.is_finished or (left and now >= show_at):
            break
        live.is_overdue = now >= show_at
        await live.news(None if live.is_overdue else show_at - now)
    if live.error is not None:
        ls.session.forget(live)
        raise live.error
    if left:
        _show(ls, live, snapshot, left[0].text)
    return Answer(left, None if is_typed_ahead else live.result, live.plan, is_typed_ahead)


def _patience(ls: "MidlineServer", snapshot: Snapshot) -> float:
    chosen = snapshot.settings.answer_milliseconds
    return ls.rhythm.patience if chosen is None else chosen / 1000


def _show(ls: "MidlineServer", live: LiveCompletion, snapshot: Snapshot, text: str) -> None:
    """Keep what is shown, and write ahead what follows it."""
    if not snapshot.settings.write_ahead:
        return
    live.shown = snapshot, text
    if live.is_finished and ls.session.ahead.expect(live, snapshot, text):
        _use_idle_time(ls, live)


def when_idle(ls: "MidlineServer", live: LiveCompletion) -> None:
    """After a completion: prefill the rest of the window, and generate what comes next."""
    if live.stale or live.error is not None:
        return
    expects = live.shown is not None and ls.session.ahead.expect(live, *live.shown)
    is_resting = ls.reading is None or ls.reading.done()
    reads_for_pause = ls.pauses.are_wanted and is_resting
    if expects or reads_for_pause or not (live.plan is None or live.plan.is_whole):
        _use_idle_time(ls, live)


def _use_idle_time(ls: "MidlineServer", live: LiveCompletion) -> None:
    """Prefill the rest of the wanted window, then generate the expected completions.

    The window comes first: completions are worse without it, and it is prefilled once for all.
    """
    planner, plan, lives = ls.planner, live.plan, ls.session.ahead.of(live.uri)
    read_for_pause = ls.pauses.reading(live.snapshot)

    def work(engine: "Engine", is_over: Callable[[], bool]) -> None:
        if plan is None or plan.is_whole or planner.read_ahead(engine, plan.wanted, is_over):
            write_ahead(engine, planner, lives)
        if not is_over():
            read_for_pause(is_over)

    ls.reading = ls.engine.run_when_idle(work, live.uri, lives)
