"""One request for completions: the newest of its document, given up as soon as it is stale."""

import asyncio
import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from midline.model.errors import MidlineError
from midline.server.generation_arguments import SAMPLING_TEMPERATURE
from midline.server.logs import log_hint
from midline.server.schedule import NoEngineError
from midline.server.session import Request, Snapshot
from midline.server.settings import Settings

if TYPE_CHECKING:
    from midline.model.completion import CompletionResult, Suggestion
    from midline.model.engine import Engine, GenerateOptions
    from midline.server.lsp import MidlineServer

LOGGER = logging.getLogger(__name__)


async def suggestions(
    ls: "MidlineServer", snapshot: Snapshot, *, automatic: bool
) -> "list[Suggestion]":
    """What can be written at the cursor, best first; nothing if the answer would be stale.

    A request of the same document, an edit, or the client's cancellation end the work at once.
    """
    session = ls.session
    request = session.begin(snapshot.uri)
    ls.engine.abort_stale(snapshot.uri)
    try:
        if automatic and snapshot.settings.debounce_milliseconds:
            await asyncio.sleep(snapshot.settings.debounce_milliseconds / 1000)
        await ls.load_settled.wait()
        # The client's settings may have come in only now, together with the first model.
        snapshot = replace(snapshot, settings=session.settings)
        task = ls.engine.run(lambda engine: _complete(engine, snapshot, request), request)
        result = await asyncio.wrap_future(task)
        if result is None or request.stale:
            return []
        return [suggestion for suggestion in result.suggestions if suggestion.text]
    except NoEngineError:
        return []
    except MidlineError as error:
        ls.tell(f"Midline: {error}")
        return []
    except Exception:
        LOGGER.exception("completing %s", snapshot.uri)
        ls.tell(f"Midline could not complete here; {log_hint()}")
        return []
    finally:
        session.end(snapshot.uri, request)


def _complete(engine: "Engine", snapshot: Snapshot, request: Request) -> "CompletionResult":
    from midline.model.completion import complete

    result = complete(
        engine,
        snapshot.cursor,
        _generate_options(snapshot.settings),
        limits=snapshot.settings.limits(),
        cancel=request.flag,
        give_up=lambda: request.stale,
    )
    LOGGER.info(
        "%s: %d prompt tokens, %d cached, prefill %.0f ms, decode %.0f ms%s",
        snapshot.uri,
        result.prompt_tokens,
        result.cached_tokens,
        result.timings.prefill_ms,
        result.timings.decode_ms,
        ", given up" if request.stale else "",
    )
    return result


def _generate_options(settings: Settings) -> "GenerateOptions":
    from midline.model.engine import GenerateOptions

    sampled = SAMPLING_TEMPERATURE if settings.samples > 1 else 0.0
    return GenerateOptions(
        samples=settings.samples,
        max_tokens=settings.max_tokens,
        temperature=sampled if settings.temperature is None else settings.temperature,
        exact=settings.exact,
        sparsity=settings.sparsity,
    )
