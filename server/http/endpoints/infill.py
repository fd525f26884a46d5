"""`POST /infill`: completion at a cursor, as llama.cpp's editor plug-ins ask for it.

`input_prefix` and `prompt` together are the text in front of the cursor, `input_suffix` is the text
behind it, and `input_extra` are pieces of other files. `n_predict: 0` reads these ahead.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from midline.kernels import CancelFlag
from midline.model.completion.context_chunks import ContextChunk
from midline.model.completion.fim import Cursor
from midline.server.documents import to_bytes
from midline.server.http.asked import Asked, read_asked
from midline.server.http.event_stream import EventStream
from midline.server.http.fields import Fields, read_fields
from midline.server.http.fim_answer import FimAnswer
from midline.server.http.fim_cursor import cursor_of
from midline.server.http.raw_answer import Spent
from midline.server.http.raw_fim import RawFim
from midline.server.http.service import Service, until_disconnect

if TYPE_CHECKING:
    from midline.model.completion.ranking import Suggestion
    from midline.model.engines.base import Engine

PATH, METHOD = "/infill", "POST"
DEFAULT_TOKENS = 128
_MOST_CHUNKS = 1024
_MOST_MS = 3_600_000.0


async def answer(service: Service, request: Request) -> Response:
    """The completion in llama.cpp's form; a list of them where `n_cmpl` asks for several."""
    fields = await read_fields(request)
    asked, cursor = read_asked(fields, DEFAULT_TOKENS), read_cursor(fields)
    engine = await service.engine()
    if asked.warm_up:
        await read_ahead(service, engine, cursor)
        return JSONResponse(_selected(fields, _object(engine, "", "limit", Spent())))
    answering = await _planned(service, engine, fields, asked, cursor)
    cancel = CancelFlag()
    if asked.stream:
        return EventStream(_events(engine, answering, cancel), cancel)
    async with until_disconnect(request, cancel):
        found = await answering.whole(cancel)
    objects = [_selected(fields, _whole(engine, each, answering.spent)) for each in found]
    several = "n_cmpl" in fields and asked.options.samples > 1
    return JSONResponse(objects if several else objects[0])


def read_cursor(fields: Fields) -> Cursor:
    """The place that the fields describe. `filename` and `language` are Midline's own."""
    extra = fields.objects("input_extra")
    chunks = []
    for piece in extra[-_MOST_CHUNKS:]:
        inner = Fields(piece)
        chunks.append(ContextChunk(inner.text("filename", "tmp"), inner.text("text")))
    before = fields.text("input_prefix") + fields.text("prompt")
    return cursor_of(
        to_bytes(before),
        to_bytes(fields.text("input_suffix")),
        name=fields.text("filename"),
        language=fields.text("language"),
        chunks=tuple(chunks),
    )


async def read_ahead(service: Service, engine: "Engine", cursor: Cursor) -> None:
    """Read what prompts with these chunks begin with, before or after other work; not awaited."""
    ids = await asyncio.to_thread(service.windows.context_ids, engine, cursor)
    if ids:
        service.texts.read_ahead(engine, ids)


async def _planned(
    service: Service, engine: "Engine", fields: Fields, asked: Asked, cursor: Cursor
) -> FimAnswer | RawFim:
    """The answer to begin: as the language server's own, or raw."""
    prompt_ms = fields.number("t_max_prompt_ms", None, 0, _MOST_MS)
    predict_ms = fields.number("t_max_predict_ms", None, 0, _MOST_MS)
    if asked.raw:
        indent = fields.whole("n_indent", 0, 0, 10_000)
        return RawFim(service, engine, cursor, asked, predict_ms or None, indent)
    planned = await asyncio.to_thread(
        service.windows.plan, engine, cursor, asked.options.max_tokens, prompt_ms or None
    )
    answering = FimAnswer(service, engine, planned, asked, predict_ms or None)
    if planned.wanted != planned.prompt:
        service.texts.read_ahead(engine, planned.wanted.ids)
    return answering


async def _events(
    engine: "Engine", answering: FimAnswer | RawFim, cancel: CancelFlag
) -> AsyncIterator[Mapping[str, Any]]:
    async for piece in answering.pieces(cancel):
        if isinstance(piece, str):
            yield {"index": 0, "content": piece, "stop": False, "model": engine.name}
        else:
            yield {**_whole(engine, piece, answering.spent), "content": ""}


def _whole(engine: "Engine", suggestion: "Suggestion", spent: Spent) -> dict[str, Any]:
    reason = "limit" if suggestion.finish_reason == "length" else "eos"
    return _object(engine, suggestion.text, reason, spent)


def _object(engine: "Engine", content: str, stop_type: str, spent: Spent) -> dict[str, Any]:
    """An answer in llama.cpp's form; `tokens_cached` is what the prefix cache had of the prompt."""
    read = spent.prompt_tokens - spent.cached_tokens
    return {
        "index": 0,
        "content": content,
        "model": engine.name,
        "stop": True,
        "stop_type": stop_type,
        "stopping_word": "",
        "truncated": False,
        "tokens_predicted": spent.written,
        "tokens_evaluated": spent.prompt_tokens,
        "tokens_cached": spent.cached_tokens,
        "timings": {
            "cache_n": spent.cached_tokens,
            **_timings("prompt", read, spent.prompt_ms),
            **_timings("predicted", spent.written, spent.predicted_ms),
        },
    }


def _timings(name: str, tokens: int, milliseconds: float) -> dict[str, float]:
    return {
        f"{name}_n": tokens,
        f"{name}_ms": milliseconds,
        f"{name}_per_token_ms": milliseconds / tokens if tokens else 0.0,
        f"{name}_per_second": tokens * 1e3 / milliseconds if milliseconds else 0.0,
    }


def _selected(fields: Fields, whole: dict[str, Any]) -> dict[str, Any]:
    """The fields that `response_fields` names; "timings/prompt_n" is a key of the answer then."""
    if "response_fields" not in fields:
        return whole
    found = {}
    for path in fields.texts("response_fields", 128):
        value: Any = whole
        for key in path.split("/"):
            value = value.get(key) if isinstance(value, Mapping) else None
        if value is not None:
            found[path] = value
    return found
