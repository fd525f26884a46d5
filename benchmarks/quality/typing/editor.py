"""An editor that types at a real `midline serve` process over standard input and output.

It does what VS Code and its language client do: every key is a didChange, cancels the request
under way and, after the debounce, makes another one. Nothing is asked for where the cursor only
moves. It asks once more for a place when the server says that another text is there, as Midline's
clients do, or with `again` so long after an answer.
"""

import asyncio
import contextlib
import itertools
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import Future
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from midline.benchmarks.quality.typing.cpu import peak_bytes, processor_seconds
from midline.benchmarks.quality.typing.screen import Screen
from midline.benchmarks.quality.typing.tokens_read import TokensRead
from midline.model.errors import MidlineError
from midline.model.paths import HOME_VARIABLE, models_folder, packed_folder, profiles_folder
from midline.server.documents import Document, PositionEncoding, count_units
from midline.server.lsp.renewal import CAPABILITY, METHOD

REST_SECONDS = 0.3
"""Midline's clients': how long a cursor has to stay before they tell the server."""
DEBOUNCE_SECONDS = 0.05
"""VS Code's, between a change and its request."""
READY_SECONDS = 600
LEAVE_SECONDS = 10
COMMAND = (sys.executable, "-P", "-m", "midline.server.cli.main", "serve", "--own")
ENCODING = PositionEncoding.UTF16


@dataclass
class LspEditor:
    """One client with one cursor; `screen` is what its person sees."""

    client: LanguageClient
    read: TokensRead
    debounce: float = DEBOUNCE_SECONDS
    again: float = 0.0
    """Seconds from an answer until the same place is asked for once more; 0 never does."""
    name: str = "midline"
    screen: Screen = field(default_factory=Screen)
    documents: dict[str, Document] = field(default_factory=dict)
    uri: str = ""
    offset: int = 0
    requests: int = 0
    _task: "asyncio.Task[None] | None" = None
    _pending: str | None = None
    _numbers: "itertools.count[int]" = field(default_factory=itertools.count)
    _has_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, uri: str, text: str, language: str) -> None:
        """Open a document, or give an open one another text."""
        if uri in self.documents:
            self._close(uri)
        self.documents[uri] = Document(uri, text, language, 1)
        item = types.TextDocumentItem(uri, language, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))

    async def close_all(self) -> None:
        """Close every document, as when another project is opened."""
        self._cancel()
        for uri in list(self.documents):
            self._close(uri)

    def jump(self, uri: str, offset: int) -> None:
        """Move the cursor; editors ask for nothing there, and Midline's clients say where it is."""
        self.uri, self.offset = uri, offset
        self._cancel()
        self.screen.moved(time.perf_counter())
        self._task = asyncio.create_task(_rest(self))

    def insert(self, text: str) -> None:
        """Type `text` at the cursor."""
        self._edit(self.offset, self.offset, text)
        self.offset += len(text)
        self.screen.typed(text, time.perf_counter())
        self._ask()

    def erase(self) -> None:
        """Delete the character before the cursor."""
        self._edit(self.offset - 1, self.offset, "")
        self.offset -= 1
        self.screen.moved(time.perf_counter())
        self._ask()

    async def settle(self) -> None:
        """Wait until the server does nothing, at most `READY_SECONDS`."""
        self._cancel()
        deadline = time.perf_counter() + READY_SECONDS
        while time.perf_counter() < deadline:
            before = self.cpu_seconds() or 0.0
            await asyncio.sleep(0.5)
            if (self.cpu_seconds() or 0.0) - before < 0.05:
                return

    def cpu_seconds(self) -> float | None:
        """Processor time of the server so far; None where the system does not tell."""
        server = self.client._server
        return processor_seconds(server.pid) if server else None

    def tokens_read(self) -> int | None:
        """Prompt tokens that the server has computed, by its log; None without one."""
        return self.read.count()

    def _edit(self, start: int, end: int, text: str) -> None:
        document = self.documents[self.uri]
        span = types.Range(*(types.Position(*document.position(o, ENCODING)) for o in (start, end)))
        document = document.edited(start, end, text, (document.version or 0) + 1)
        self.documents[self.uri] = document
        change = types.TextDocumentContentChangePartial(range=span, text=text)
        version = types.VersionedTextDocumentIdentifier(document.version or 0, self.uri)
        self.client.text_document_did_change(types.DidChangeTextDocumentParams(version, [change]))

    def _cancel(self) -> None:
        """Give up the request under way; whatever answer comes is dropped."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        if self._pending is not None:
            self.client.protocol.notify(types.CANCEL_REQUEST, types.CancelParams(self._pending))
            self._pending = None

    def _ask(self) -> None:
        self._cancel()
        self._task = asyncio.create_task(self._request())

    async def _request(self) -> None:
        if self.debounce:
            await asyncio.sleep(self.debounce)
        self._send()
        if self.again:
            await self._has_answer.wait()
            await asyncio.sleep(self.again)
            self._send()

    def _send(self) -> None:
        document, offset = self.documents[self.uri], self.offset
        id = self._pending = f"key-{next(self._numbers)}"
        self.requests += 1
        self._has_answer.clear()
        params = _params(document, offset, types.InlineCompletionTriggerKind.Automatic)
        method = types.TEXT_DOCUMENT_INLINE_COMPLETION
        future = self.client.protocol.send_request(method, params, msg_id=id)
        future.add_done_callback(lambda done: self._answered(id, done, document, offset))

    def _answered(self, id: str, done: "Future[Any]", document: Document, offset: int) -> None:
        """Show an answer; one that was cancelled meanwhile, or that failed, shows nothing new."""
        if self._pending != id:
            return
        self._pending = None
        failed = done.cancelled() or done.exception() is not None
        text = "" if failed else ghost_text(done.result(), document, offset)
        self.screen.answered(text, time.perf_counter())
        self._has_answer.set()

    def _close(self, uri: str) -> None:
        del self.documents[uri]
        identifier = types.TextDocumentIdentifier(uri)
        self.client.text_document_did_close(types.DidCloseTextDocumentParams(identifier))


def ask_again(editor: LspEditor, params: Any) -> None:
    """Ask once more for a place that the server has another text for, if it is here."""
    named = _as_data(params)
    document = editor.documents.get(editor.uri)
    if document is None or editor._pending is not None:
        return
    here = _resting(document, editor.offset)
    text = {**here["textDocument"], "version": document.version}
    if named == {"textDocument": text, "position": here["position"]}:
        editor._send()


def _as_data(params: Any) -> Any:
    """Parameters of a method that is not the protocol's as plain data: pygls makes up classes."""
    fields = params._asdict() if hasattr(params, "_asdict") else params
    if isinstance(fields, dict):
        return {name: _as_data(value) for name, value in fields.items()}
    return fields


def memory_bytes(assistant: object) -> int | None:
    """The most memory that the server of an editor has taken; None without one, or where the system
    does not tell.
    """
    server = assistant.client._server if isinstance(assistant, LspEditor) else None
    return peak_bytes(server.pid) if server else None


async def _rest(editor: LspEditor) -> None:
    """Say where the cursor is, once it has stayed there."""
    await asyncio.sleep(REST_SECONDS)
    place = _resting(editor.documents[editor.uri], editor.offset)
    editor.client.protocol.notify("midline/cursor", place)


def _resting(document: Document, offset: int) -> dict[str, Any]:
    """The parameters of `midline/cursor`."""
    line, character = document.position(offset, ENCODING)
    return {
        "textDocument": {"uri": document.uri},
        "position": {"line": line, "character": character},
    }


def ghost_text(answer: Any, document: Document, offset: int) -> str:
    """What VS Code shows of the first item: after the cursor, if the text before it agrees."""
    items = answer.items if isinstance(answer, types.InlineCompletionList) else answer
    if not items:
        return ""
    text, span = items[0].insert_text, items[0].range
    text = text if isinstance(text, str) else text.value
    if span is None:
        return text
    start = document.offset(span.start.line, span.start.character, ENCODING)
    before = document.text[start:offset]
    return text[len(before) :] if text.startswith(before) else ""


def _params(
    document: Document, offset: int, kind: types.InlineCompletionTriggerKind
) -> types.InlineCompletionParams:
    line = document.line_number(offset)
    column = count_units(document.text[document.line_starts[line] : offset], ENCODING)
    return types.InlineCompletionParams(
        context=types.InlineCompletionContext(kind),
        text_document=types.TextDocumentIdentifier(document.uri),
        position=types.Position(line, column),
    )


@asynccontextmanager
async def serving(
    folder: Path,
    options: dict[str, Any],
    *,
    debounce: float = DEBOUNCE_SECONDS,
    again: float = 0.0,
    command: Sequence[str] = COMMAND,
) -> AsyncIterator[LspEditor]:
    """An editor at a server of its own whose model is loaded; `folder` has the server's log.

    Raises MidlineError if the server does not answer.
    """
    client = LanguageClient("midline-bench", "1")
    told: list[str] = []

    @client.feature(types.WINDOW_SHOW_MESSAGE)
    def keep(params: types.ShowMessageParams) -> None:
        told.append(params.message)

    @client.feature("midline/status")
    def ignore(params: object) -> None:
        """What the server is doing; nobody looks at it here."""

    environment = {**os.environ, HOME_VARIABLE: str(_home(folder))}
    await client.start_io(*command, env=environment)
    try:
        text = types.TextDocumentClientCapabilities(
            inline_completion=types.InlineCompletionClientCapabilities()
        )
        can = types.ClientCapabilities(text_document=text, experimental={CAPABILITY: True})
        params = types.InitializeParams(capabilities=can, initialization_options=options)
        await client.initialize_async(params)
        client.initialized(types.InitializedParams())
        editor = LspEditor(client, TokensRead(folder / "logs" / "midline.log"), debounce, again)
        client.feature(METHOD)(lambda params: ask_again(editor, params))
        await _until_ready(editor, told)
        yield editor
        await client.shutdown_async(None)
        client.exit(None)
        if client._server is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(client._server.wait(), LEAVE_SECONDS)
    finally:
        # A server that was not shut down would be waited for.
        if client._server is not None and client._server.returncode is None:
            client._server.kill()
        await client.stop()  # type: ignore[no-untyped-call]


def _home(folder: Path) -> Path:
    """A home with the models of the user's and a log of its own."""
    for real in (models_folder(), packed_folder(), profiles_folder()):
        link = folder / real.name
        if not link.exists():
            real.mkdir(parents=True, exist_ok=True)
            link.symlink_to(real.resolve(), target_is_directory=True)
    return folder


async def _until_ready(editor: LspEditor, told: list[str]) -> None:
    """Ask for something by hand: the answer comes when the model is there."""
    uri = "untitled:ready"
    await editor.open(uri, "print(", "python")
    kind = types.InlineCompletionTriggerKind.Invoked
    params = _params(editor.documents[uri], 6, kind)
    try:
        question = editor.client.text_document_inline_completion_async(params)
        await asyncio.wait_for(question, READY_SECONDS)
    except TimeoutError:
        raise MidlineError(
            f"the server did not answer within {READY_SECONDS} s; see {editor.read.log}"
        ) from None
    if told:
        raise MidlineError(f"the server cannot complete: {told[0]}")
    await editor.close_all()
