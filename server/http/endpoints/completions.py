"""`POST /v1/completions`: OpenAI's text completions, also at a cursor.

A prompt with the model's fill-in-the-middle tokens, or with a `suffix`, is completed as the
language server does it, unless `raw` is true: alignment of its last word, trimming, and ranking.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from midline.kernels import CancelFlag
from midline.model.completion.fim import Cursor
from midline.model.completion.ranking import Suggestion
from midline.server.documents import to_bytes
from midline.server.http.asked import Asked, read_asked
from midline.server.http.choices import completion_logprobs, envelope, finish, usage
from midline.server.http.errors import HttpError
from midline.server.http.event_stream import EventStream
from midline.server.http.fields import Fields, read_fields
from midline.server.http.fim_answer import FimAnswer
from midline.server.http.fim_cursor import cursor_of, cursor_of_prompt
from midline.server.http.merged import merged
from midline.server.http.raw_answer import Piece, RawAnswer, Spent
from midline.server.http.raw_fim import raw_prompt
from midline.server.http.service import Service, until_disconnect

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

PATH, METHOD = "/v1/completions", "POST"
DEFAULT_TOKENS = 256
MOST_PROMPTS = 64
Prompt = str | list[int]


class Answering(Protocol):
    """One prompt on its way."""

    @property
    def spent(self) -> Spent:
        """What it took."""
        ...

    async def whole(self, cancel: CancelFlag) -> Sequence[Piece]:
        """One piece for each choice."""
        ...

    def pieces(self, cancel: CancelFlag) -> AsyncIterator[Piece]:
        """Pieces as they come."""
        ...


async def answer(service: Service, request: Request) -> Response:
    """The choices of all prompts, whole or as a stream."""
    fields = await read_fields(request)
    asked, prompts = read_asked(fields, DEFAULT_TOKENS), read_prompts(fields)
    engine = await service.engine()
    answering = [await _begun(service, engine, fields, asked, prompt) for prompt in prompts]
    cancel = CancelFlag()
    head = envelope(service, "text_completion", "cmpl", engine.name)
    if asked.stream:
        return EventStream(_events(engine, head, answering, asked, cancel), cancel)
    async with until_disconnect(request, cancel):
        found = await asyncio.gather(*(each.whole(cancel) for each in answering))
    choices = [
        _choice(engine, asked, number * asked.options.samples, piece)
        for number, pieces in enumerate(found)
        for piece in pieces
    ]
    spent = usage([each.spent for each in answering])
    return JSONResponse({**head, "choices": choices, "usage": spent})


def read_prompts(fields: Fields) -> list[Prompt]:
    """The prompts: a string, a list of strings, a list of ids, or a list of such lists."""
    value = fields.value("prompt")
    if isinstance(value, str):
        return [value]
    if _are_ids(value):
        return [value]
    is_list = isinstance(value, list) and 1 <= len(value) <= MOST_PROMPTS
    if is_list and all(isinstance(item, str) or _are_ids(item) for item in value):
        return list(value)
    raise fields.wrong("prompt", f"a string, ids of tokens, or a list of 1 to {MOST_PROMPTS} such")


def _are_ids(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) > 0
        and all(isinstance(id, int) and not isinstance(id, bool) for id in value)
    )


async def _begun(
    service: Service, engine: "Engine", fields: Fields, asked: Asked, prompt: Prompt
) -> Answering:
    cursor = _cursor(engine, fields, prompt)
    if cursor is not None and not (asked.raw or asked.warm_up):
        tokens = asked.options.max_tokens
        planned = await asyncio.to_thread(service.windows.plan, engine, cursor, tokens)
        return _AtCursor(FimAnswer(service, engine, planned, asked))
    if "suffix" in fields and cursor is not None:
        ids: Sequence[int] = raw_prompt(engine, cursor, asked.options.max_tokens)
    else:
        ids = await asyncio.to_thread(prompt_ids, engine, prompt)
    engine.check_prompt(ids)
    if asked.warm_up:
        service.texts.read_ahead(engine, ids)
        return _Nothing()
    return RawAnswer(service, engine, ids, asked)


def _cursor(engine: "Engine", fields: Fields, prompt: Prompt) -> Cursor | None:
    """The cursor that a prompt means, None where it means none."""
    suffix = fields.text("suffix")
    if suffix and not isinstance(prompt, str):
        raise HttpError(422, "a suffix goes with a prompt of text; send the prompt as a string")
    if not isinstance(prompt, str):
        return None
    if suffix:
        name, language = fields.text("filename"), fields.text("language")
        return cursor_of(to_bytes(prompt), to_bytes(suffix), name=name, language=language)
    return cursor_of_prompt(engine.tokenizer, prompt)


def prompt_ids(engine: "Engine", prompt: Prompt) -> list[int]:
    """Ids of a prompt, special tokens in it recognized. Raises HttpError 422 for unknown ids."""
    tokenizer = engine.tokenizer
    if isinstance(prompt, str):
        return tokenizer.with_bos(tokenizer.encode(prompt, special=True))
    for id in prompt:
        try:
            known = id >= 0 and tokenizer.token_bytes(id) is not None
        except (IndexError, OverflowError):
            known = False
        if not known:
            raise HttpError(422, f"prompt has the id {id}, which {engine.name} does not have")
    return prompt


class _AtCursor:
    """A `FimAnswer` in pieces of choices."""

    def __init__(self, answering: FimAnswer) -> None:
        self._answering = answering

    @property
    def spent(self) -> Spent:
        return self._answering.spent

    async def whole(self, cancel: CancelFlag) -> Sequence[Piece]:
        found = await self._answering.whole(cancel)
        return [Piece(n, each.text, (), each.finish_reason) for n, each in enumerate(found)]

    async def pieces(self, cancel: CancelFlag) -> AsyncIterator[Piece]:
        async for piece in self._answering.pieces(cancel):
            if isinstance(piece, Suggestion):
                yield Piece(0, "", (), piece.finish_reason)
            else:
                yield Piece(0, piece)


class _Nothing:
    """The answer to a request that only wanted its prompt read."""

    spent = Spent()

    async def whole(self, cancel: CancelFlag) -> Sequence[Piece]:
        return [Piece(0, "", (), "length")]

    async def pieces(self, cancel: CancelFlag) -> AsyncIterator[Piece]:
        yield Piece(0, "", (), "length")


async def _events(
    engine: "Engine",
    head: Mapping[str, Any],
    answering: Sequence[Answering],
    asked: Asked,
    cancel: CancelFlag,
) -> AsyncIterator[Mapping[str, Any]]:
    offsets: dict[int, int] = {}
    async for number, piece in merged([each.pieces(cancel) for each in answering]):
        first = number * asked.options.samples
        offset = offsets.get(first + piece.sample, 0)
        offsets[first + piece.sample] = offset + len(piece.text)
        yield {**head, "choices": [_choice(engine, asked, first, piece, offset)]}
    if asked.with_usage:
        yield {**head, "choices": [], "usage": usage([each.spent for each in answering])}


def _choice(
    engine: "Engine", asked: Asked, first: int, piece: Piece, offset: int = 0
) -> dict[str, Any]:
    logprobs = None
    if asked.logprobs and piece.tokens:
        logprobs = completion_logprobs(engine.tokenizer, piece.tokens, offset)
    return {
        "index": first + piece.sample,
        "text": piece.text,
        "logprobs": logprobs,
        "finish_reason": finish(piece.finish),
    }
