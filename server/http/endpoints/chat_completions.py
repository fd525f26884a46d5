"""`POST /v1/chat/completions`: OpenAI's chats, laid out by the model's own template."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from midline.kernels import CancelFlag
from midline.model.tokenizer.chat_template import render_chat
from midline.server.http.asked import Asked, read_asked
from midline.server.http.choices import chat_logprobs, envelope, finish, usage
from midline.server.http.errors import HttpError
from midline.server.http.event_stream import EventStream
from midline.server.http.fields import Fields, read_fields
from midline.server.http.raw_answer import Piece, RawAnswer, Spent
from midline.server.http.service import Service, until_disconnect

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

PATH, METHOD = "/v1/chat/completions", "POST"
DEFAULT_TOKENS = 1024
_MOST_MESSAGES = 1024


async def answer(service: Service, request: Request) -> Response:
    """The choices, whole or as a stream."""
    fields = await read_fields(request)
    asked, messages = read_asked(fields, DEFAULT_TOKENS), read_messages(fields)
    engine = await service.engine()
    if engine.tokenizer.chat_template is None:
        raise HttpError(422, f"{engine.name} has no chat template; use /v1/completions")
    ids = await asyncio.to_thread(render_chat, engine.tokenizer, messages)
    engine.check_prompt(ids)
    if asked.warm_up:
        service.texts.read_ahead(engine, ids)
        return JSONResponse(_object(service, engine, asked, [Piece(0, "", (), "length")], Spent()))
    answering, cancel = RawAnswer(service, engine, ids, asked), CancelFlag()
    if asked.stream:
        return EventStream(_events(service, engine, answering, asked, cancel), cancel)
    async with until_disconnect(request, cancel):
        found = await answering.whole(cancel)
    return JSONResponse(_object(service, engine, asked, found, answering.spent))


def read_messages(fields: Fields) -> list[dict[str, str]]:
    """The messages, each with a role and a text. Raises HttpError 422."""
    messages = fields.objects("messages")
    if not 1 <= len(messages) <= _MOST_MESSAGES:
        raise fields.wrong("messages", f"a list of 1 to {_MOST_MESSAGES} messages")
    found = []
    for number, message in enumerate(messages):
        role, content = message.get("role"), _text(message.get("content"))
        if not isinstance(role, str) or content is None:
            raise HttpError(
                422,
                f"message {number} is no text with a role; send a role and a content of text",
                f"messages[{number}]",
            )
        found.append({"role": "system" if role == "developer" else role, "content": content})
    return found


def _text(content: Any) -> str | None:
    """The text of a message that is a string or a list of parts; None for anything else."""
    if content is None or isinstance(content, str):
        return content or ""
    if not isinstance(content, list):
        return None
    parts = [part.get("text") if isinstance(part, Mapping) else None for part in content]
    return None if any(not isinstance(part, str) for part in parts) else "".join(map(str, parts))


async def _events(
    service: Service, engine: "Engine", answering: RawAnswer, asked: Asked, cancel: CancelFlag
) -> AsyncIterator[Mapping[str, Any]]:
    head = envelope(service, "chat.completion.chunk", "chatcmpl", engine.name)
    for sample in range(asked.options.samples):
        yield {**head, "choices": [_delta(sample, {"role": "assistant", "content": ""})]}
    async for piece in answering.pieces(cancel):
        delta = {"content": piece.text} if piece.text or piece.finish is None else {}
        choice = _delta(piece.sample, delta, finish(piece.finish))
        if asked.logprobs and piece.tokens:
            choice["logprobs"] = chat_logprobs(engine.tokenizer, piece.tokens)
        yield {**head, "choices": [choice]}
    if asked.with_usage:
        yield {**head, "choices": [], "usage": usage([answering.spent])}


def _delta(sample: int, delta: Mapping[str, str], reason: str | None = None) -> dict[str, Any]:
    return {"index": sample, "delta": delta, "logprobs": None, "finish_reason": reason}


def _object(
    service: Service, engine: "Engine", asked: Asked, found: Sequence[Piece], spent: Spent
) -> dict[str, Any]:
    choices = [
        {
            "index": piece.sample,
            "message": {"role": "assistant", "content": piece.text},
            "logprobs": chat_logprobs(engine.tokenizer, piece.tokens) if asked.logprobs else None,
            "finish_reason": finish(piece.finish),
        }
        for piece in found
    ]
    head = envelope(service, "chat.completion", "chatcmpl", engine.name)
    return {**head, "choices": choices, "usage": usage([spent])}
