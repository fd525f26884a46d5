"""A simulated typist at the language server: real lines in real files, a request after every key.

Edits and requests go through the server's handlers, from the change notification to the answer;
only the transport is left out. Pauses between keys last while the server prefills in advance, at
most their nominal length, and are skipped otherwise.
"""

import asyncio
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from lsprotocol import types

from midline.model.completion.context_chunks import ContextChunk
from midline.server.documents import Document, PositionEncoding
from midline.server.lsp.features.did_change import did_change
from midline.server.lsp.features.did_open import did_open
from midline.server.lsp.server import MidlineServer
from midline.server.lsp.suggestions import Answer, suggestions

BURST_SECONDS = 0.06
"""Time between two keys within a burst; the request of the first is then superseded."""
PAUSE_SECONDS = 0.4
"""Time from the last key of a burst to the next key, at least until its answer."""
LINE_SECONDS = 0.6
OPEN_SECONDS = 2.0
PAUSES = 0.2
"""Share of the keys within a line that end a burst, drawn with a fixed seed."""


@dataclass(frozen=True)
class Reply:
    """The outcome of one request.

    `after` is `open`, `enter` or `key`; `seconds` is None for a request given up by the next key;
    `recomputed` are the prompt tokens that were not in the cache, None if nothing was computed;
    `is_whole` tells whether the prompt was all that was wanted, `chunks` are those of other files.
    """

    after: str
    seconds: float | None
    is_typed_ahead: bool
    text: str
    recomputed: int | None = None
    prompt_tokens: int | None = None
    written_tokens: int = 0
    is_whole: bool = False
    chunks: tuple[ContextChunk, ...] = ()


@dataclass
class Typist:
    """Types into one document at a time and keeps every reply.

    `replies` are in the order of the keys, but those given up come last, when `close` has their
    answers.
    """

    server: MidlineServer
    dice: random.Random
    replies: list[Reply] = field(default_factory=list)
    _given_up: list["asyncio.Task[Answer]"] = field(default_factory=list)

    def open(self, path: Path, text: str) -> str:
        """Open a document as an editor does; its name."""
        item = types.TextDocumentItem(path.as_uri(), path.suffix[1:], 1, text)
        did_open(self.server, types.DidOpenTextDocumentParams(item))
        return item.uri

    async def look(self, uri: str, offset: int) -> None:
        """Ask for a completion at a place of a document that was just opened."""
        await self._ask("open", uri, offset, OPEN_SECONDS)

    async def type_lines(self, uri: str, offset: int, lines: list[str]) -> None:
        """Type `lines` after the line that ends at `offset`; the editor indents them."""
        for line in lines:
            text = line.lstrip()
            enter = "\n" + line[: len(line) - len(text)]
            self._insert(uri, offset, enter)
            offset += len(enter)
            await self._ask("enter", uri, offset, LINE_SECONDS)
            for character in text:
                self._insert(uri, offset, character)
                offset += 1
                is_pause = self.dice.random() < PAUSES
                await self._ask("key", uri, offset, PAUSE_SECONDS if is_pause else None)

    async def close(self) -> None:
        """Wait for what is still under way."""
        await self._read_ahead(OPEN_SECONDS)
        for task in self._given_up:
            self._keep("key", await task, None)
        self._given_up.clear()

    def _insert(self, uri: str, offset: int, text: str) -> None:
        session = self.server.session
        document = session.documents[uri]
        position = types.Position(*document.position(offset, session.encoding))
        change = types.TextDocumentContentChangePartial(types.Range(position, position), text)
        version = types.VersionedTextDocumentIdentifier((document.version or 0) + 1, uri)
        did_change(self.server, types.DidChangeTextDocumentParams(version, [change]))

    async def _ask(self, after: str, uri: str, offset: int, pause: float | None) -> None:
        """Ask, and go on after the pause; without one the next key does not wait for the answer."""
        session = self.server.session
        began = time.perf_counter()
        snapshot = session.snapshot(session.documents[uri], offset)
        task = asyncio.create_task(suggestions(self.server, snapshot, automatic=True))
        if pause is None:
            done, _ = await asyncio.wait({task}, timeout=BURST_SECONDS)
            if not done or not task.result().is_typed_ahead:
                self._given_up.append(task)
                return
        answer = await task
        seconds = time.perf_counter() - began
        self._keep(after, answer, seconds)
        if pause is not None:
            await self._read_ahead(pause - seconds)

    async def _read_ahead(self, seconds: float) -> None:
        """Let the server use a pause of at most `seconds`."""
        reading = self.server.reading
        if reading is not None and not reading.done() and seconds > 0:
            await asyncio.wait({asyncio.wrap_future(reading)}, timeout=seconds)

    def _keep(self, after: str, answer: Answer, seconds: float | None) -> None:
        result, best = answer.result, answer.suggestions[:1]
        self.replies.append(
            Reply(
                after,
                seconds,
                answer.is_typed_ahead,
                best[0].text if best else "",
                result.prompt_tokens - result.cached_tokens if result else None,
                result.prompt_tokens if result else None,
                sum(suggestion.tokens for suggestion in result.suggestions) if result else 0,
                answer.plan is not None and answer.plan.is_whole,
                answer.plan.window.cursor.context if answer.plan else (),
            )
        )


def offset_behind(text: str, line: int) -> int:
    """Where line `line` (from 0) of `text` ends."""
    document = Document("", text)
    return document.offset(line, len(document.line(line)), PositionEncoding.UTF32)
