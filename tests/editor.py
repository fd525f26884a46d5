"""An editor for tests: a real LSP client over pipes that opens, types, asks and cancels.

The server is the installed `midline serve`, or `fake_server.py` whose model is known beforehand.
"""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.exceptions import JsonRpcInternalError
from pytest_lsp import LanguageClient, make_test_lsp_client

FAKE_SERVER = Path(__file__).with_name("fake_server.py")
MIDLINE = [sys.executable, "-P", "-m", "midline.server.cli.main", "serve"]


def capabilities(
    *,
    inline: bool = True,
    encodings: list[str] | None = None,
    progress: bool = False,
    configuration: bool = False,
) -> types.ClientCapabilities:
    """What the client says it can do."""
    return types.ClientCapabilities(
        general=types.GeneralClientCapabilities(position_encodings=encodings),
        window=types.WindowClientCapabilities(work_done_progress=progress),
        workspace=types.WorkspaceClientCapabilities(configuration=configuration),
        text_document=types.TextDocumentClientCapabilities(
            inline_completion=types.InlineCompletionClientCapabilities() if inline else None
        ),
    )


@dataclass
class Editor:
    """One client and what it sees of the server."""

    client: LanguageClient
    result: types.InitializeResult
    log: Path
    statuses: list[dict[str, Any]] = field(default_factory=list)
    versions: dict[str, int] = field(default_factory=dict)
    requests: int = 0

    def open(self, text: str, uri: str = "file:///a.py", language: str = "python") -> str:
        self.versions[uri] = 1
        item = types.TextDocumentItem(uri, language, 1, text)
        self.client.text_document_did_open(types.DidOpenTextDocumentParams(item))
        return uri

    def change(self, uri: str, *changes: types.TextDocumentContentChangeEvent) -> None:
        self.versions[uri] += 1
        document = types.VersionedTextDocumentIdentifier(self.versions[uri], uri)
        self.client.text_document_did_change(
            types.DidChangeTextDocumentParams(document, list(changes))
        )

    def type(self, uri: str, line: int, character: int, text: str) -> None:
        """Insert `text`, character by character, as fingers do."""
        for index, key in enumerate(text):
            self.change(uri, replacement(line, character + index, line, character + index, key))

    async def inline(
        self, uri: str, line: int, character: int, **context: Any
    ) -> list[types.InlineCompletionItem]:
        found = await self.client.text_document_inline_completion_async(
            inline_params(uri, line, character, **context)
        )
        assert isinstance(found, types.InlineCompletionList)
        return list(found.items)

    async def ghost(self, uri: str, line: int, character: int) -> str | None:
        """Text of the first inline completion."""
        items = await self.inline(uri, line, character)
        if not items:
            return None
        assert isinstance(items[0].insert_text, str)
        return items[0].insert_text

    def ask(self, uri: str, line: int, character: int) -> tuple[str, "asyncio.Future[Any]"]:
        """Send a request and do not wait: its id and its answer to come."""
        self.requests += 1
        id = f"request-{self.requests}"
        answer = self.client.protocol.send_request(
            types.TEXT_DOCUMENT_INLINE_COMPLETION, inline_params(uri, line, character), msg_id=id
        )
        return id, asyncio.wrap_future(answer)

    def cancel(self, id: str) -> None:
        """Tell the server that nobody waits for this answer."""
        self.client.protocol.notify(types.CANCEL_REQUEST, types.CancelParams(id))

    def asked(self) -> list[dict[str, Any]]:
        """What the fake engine was asked, in order."""
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text("utf-8").splitlines()]

    async def until_asked(self, count: int) -> None:
        """Wait until the fake engine has begun `count` requests."""
        while len(self.asked()) < count:
            await asyncio.sleep(0.01)

    def shown(self) -> list[str]:
        """Sentences the server has shown to the user."""
        return [message.message for message in self.client.messages]


def replacement(
    line: int, character: int, end_line: int, end_character: int, text: str
) -> types.TextDocumentContentChangePartial:
    """An edit of the text between two positions."""
    start, end = types.Position(line, character), types.Position(end_line, end_character)
    return types.TextDocumentContentChangePartial(range=types.Range(start, end), text=text)


def inline_params(
    uri: str, line: int, character: int, selected: types.SelectedCompletionInfo | None = None
) -> types.InlineCompletionParams:
    """A request for ghost text, as an editor sends it while its user types."""
    return types.InlineCompletionParams(
        context=types.InlineCompletionContext(
            types.InlineCompletionTriggerKind.Automatic, selected_completion_info=selected
        ),
        text_document=types.TextDocumentIdentifier(uri),
        position=types.Position(line, character),
    )


def _refuse(client: LanguageClient, params: Any) -> None:
    raise JsonRpcInternalError("not today")


@asynccontextmanager
async def editing(
    folder: Path,
    *command: str,
    can: types.ClientCapabilities | None = None,
    options: dict[str, Any] | None = None,
    configuration: dict[str, Any] | None = None,
    refuses: tuple[str, ...] = (),
    **fake: Any,
) -> AsyncIterator[Editor]:
    """An editor connected to a server, shut down by the protocol at the end.

    Without a command the server is the fake one, with `fake` as its answers (see fake_server.py),
    which writes nothing ahead unless told to, so that what it was asked is what was asked for.
    The client answers the methods it `refuses` with an error.
    """
    log = folder / "asked.jsonl"
    environment = {
        **os.environ,
        "MIDLINE_FAKE": json.dumps({"log": str(log), "folder": str(folder), **fake}),
    }
    if not command:
        environment["MIDLINE_HOME"] = str(folder / "home")
        if options is None or isinstance(options, dict):
            options = {"writeAhead": False, **(options or {})}
        command = (sys.executable, "-P", str(FAKE_SERVER))
    client = make_test_lsp_client()
    for method in refuses:
        del client.protocol.fm.features[method]
        client.feature(method)(_refuse)
    if configuration is not None:
        client.set_configuration(configuration, section="midline")
    statuses: list[dict[str, Any]] = []
    client.feature("midline/status")(lambda params: statuses.append(params._asdict()))
    await client.start_io(*command, env=environment)
    try:
        result = await client.initialize_session(
            types.InitializeParams(
                capabilities=can or capabilities(), initialization_options=options
            )
        )
        yield Editor(client, result, log, statuses)
        await client.shutdown_session()
    finally:
        # A test that failed has not shut the server down, and stop() would wait for it.
        if client._server is not None and client._server.returncode is None:
            client._server.kill()
        await client.stop()
