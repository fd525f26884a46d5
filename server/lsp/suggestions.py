"""One request for completions: the newest of its document, given up as soon as it is stale."""

import asyncio
import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from midline.kernels import CancelFlag
from midline.model.errors import MidlineError
from midline.server.logs import log_hint
from midline.server.lsp.engine_thread import NoEngineError
from midline.server.lsp.prompt_window import Plan, WindowPlanner
from midline.server.lsp.session import Request, Snapshot
from midline.server.lsp.settings import Settings
from midline.server.lsp.typed_ahead import Shown

if TYPE_CHECKING:
    from midline.model.completion.ranking import Suggestion
    from midline.model.completion.task import CompletionResult
    from midline.model.engines.base import Engine, SamplingOptions
    from midline.server.lsp.server import MidlineServer

LOGGER = logging.getLogger(__name__)


@dataclass(frozen=True)
class Answer:
    """Suggestions, best first, and how they came about: without `result` nothing was computed.

    `suggestions` may be empty with a result: nobody waited for it any more. `plan` tells what was
    read of the files.
    """

    suggestions: "list[Suggestion]"
    result: "CompletionResult | None" = None
    plan: Plan | None = None
    is_typed_ahead: bool = False


async def suggestions(
    ls: "MidlineServer", snapshot: Snapshot, *, automatic: bool, anew: bool = False
) -> Answer:
    """What can be written at the cursor; nothing if the answer would be stale.

    A request of the same document, an edit, or the client's cancellation give the work up: it
    ends at once, but for a prompt that is being read, which is read to its end (see `Request`).
    What is left of a suggestion being typed is the answer, unless one is wanted `anew`: by hand, so
    that it may take its time, and be a line above a finished one.
    """
    session = ls.session
    request = session.begin(snapshot.uri)
    shown = session.shown.get(snapshot.uri)
    try:
        if shown and not anew and (left := shown.continued(snapshot.document, snapshot.offset)):
            if not snapshot.cursor.fragment.strip():
                _read_ahead(ls, snapshot)  # in a new line: the first other key is to find it read
            return Answer(left, is_typed_ahead=True)
        ls.engine.abort_stale(snapshot.uri)
        if automatic and snapshot.settings.debounce_milliseconds:
            await asyncio.sleep(snapshot.settings.debounce_milliseconds / 1000)
        await ls.load_settled.wait()
        # The client's settings may have come in only now, together with the first model.
        snapshot = replace(snapshot, settings=session.settings)
        return await _computed(ls, snapshot, request, anew)
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


async def _computed(
    ls: "MidlineServer", snapshot: Snapshot, request: Request, anew: bool
) -> Answer:
    """The engine's answer; what there was no time to read is read after it."""
    planner = ls.planner
    task = ls.engine.run(
        lambda engine: _complete(engine, planner, snapshot, request, anew), request
    )
    found = await asyncio.wrap_future(task)
    if found is None:
        return Answer([])
    result, plan = found
    if not plan.is_whole and not request.flag.is_set():
        _read_ahead(ls, snapshot, plan)
    if request.stale:
        return Answer([], result, plan)
    written = [suggestion for suggestion in result.suggestions if suggestion.text]
    if snapshot.settings == ls.session.settings:  # or typing along would go on with the old ones
        ls.session.shown[snapshot.uri] = Shown(snapshot.document, snapshot.offset, tuple(written))
    return Answer(written, result, plan)


def _read_ahead(ls: "MidlineServer", snapshot: Snapshot, plan: Plan | None = None) -> None:
    """Read what a completion here would want to have read, when nothing else is to do."""
    planner = ls.planner

    def read(engine: "Engine", cancel: CancelFlag) -> None:
        planner.read_ahead(engine, plan or planner.plan(engine, snapshot), cancel)

    ls.reading = ls.engine.run_when_idle(read, snapshot.uri)


def _complete(
    engine: "Engine", planner: WindowPlanner, snapshot: Snapshot, request: Request, anew: bool
) -> "tuple[CompletionResult, Plan]":
    from midline.model.completion.complete import complete

    plan = planner.plan(engine, snapshot)
    seconds = snapshot.settings.answer_milliseconds / 1000
    result = complete(
        engine,
        plan.window.cursor,
        _generate_options(snapshot.settings, by_hand=anew),
        limits=plan.window.limits,
        cancel=request.flag,
        give_up=lambda: request.stale,
        insist=anew,
        deadline=None if anew else request.began + seconds,
    )
    read = result.prompt_tokens - result.cached_tokens
    planner.learn(read, result.timings.prefill_ms / 1000)
    LOGGER.info(
        "%s: %d prompt tokens%s, %d cached, prefill %.0f ms, decode %.0f ms%s",
        snapshot.uri,
        result.prompt_tokens,
        "" if plan.is_whole else f" of {len(plan.wanted.prompt.ids)}",
        result.cached_tokens,
        result.timings.prefill_ms,
        result.timings.decode_ms,
        ", given up" if request.stale else "",
    )
    return result, plan


def _generate_options(settings: Settings, *, by_hand: bool) -> "SamplingOptions":
    """What to draw: several where one is asked for by hand, unless all would be the same.

    The likeliest is among them where no temperature is set.
    """
    from midline.model.engines.base import NativeOptions, SamplingOptions

    samples = max(settings.samples, settings.alternatives) if by_hand else settings.samples
    return SamplingOptions.chosen(
        1 if settings.temperature == 0 else samples,
        settings.temperature,
        max_tokens=settings.max_tokens,
        engine=NativeOptions(exact=settings.exact, sparsity=settings.sparsity),
    )
