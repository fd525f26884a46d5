"""What a proxy knows of its client: enough to begin a session anew where the last one ended.

It follows the messages of both sides, and says which are left to do when the engine process is
gone: the requests that nobody will answer, the progress that nobody will end.
"""

import json
from collections.abc import Iterator
from typing import Any

from midline.server.daemon.notebook_state import NotebookState
from midline.server.documents import Document, PositionEncoding

Message = dict[str, Any]
_EMPTY: dict[str, Any] = {
    "textDocument/inlineCompletion": {"items": []},
    "textDocument/completion": None,
    "shutdown": None,
}
"""Answers that say that there is nothing."""
_REPLAY = "midline-replay"
_FAILED = -32803
"""RequestFailed of the protocol."""


class ClientState:
    """The state of a client. What makes no sense changes nothing: the engine refuses it."""

    def __init__(self) -> None:
        self.initialize: Message | None = None
        self.is_initialized = False
        self.has_shut_down = False
        self.has_left = False
        self.documents: dict[str, Document] = {}
        self._notebooks = NotebookState(self._synchronize)
        self._encoding = PositionEncoding.UTF16
        self._configuration: Message | None = None
        self._pause: Message | None = None
        self._pending: dict[str, Message] = {}
        self._progress: set[str] = set()
        self._registered: set[str] = set()
        self._replays = 0

    def sent(self, message: Any) -> None:
        """Take in a message of the client."""
        try:
            self._take(message)
        except (KeyError, TypeError, ValueError, AttributeError):
            return

    def _take(self, message: Message) -> None:
        method = message.get("method")
        if method is not None and "id" in message:
            self._pending[_key(message)] = message
        match method:
            case "initialize":
                self.initialize = self.initialize or message
            case "initialized":
                self.is_initialized = True
            case "shutdown":
                self.has_shut_down = True
            case "exit":
                self.has_left = True
            case "workspace/didChangeConfiguration":
                self._configuration = message
            case "workspace/executeCommand":
                if message["params"]["command"] in ("midline.pause", "midline.resume"):
                    self._pause = message
            case str() if method.startswith("textDocument/did"):
                self._synchronize(method, message["params"])
            case str() if method.startswith("notebookDocument/did"):
                self._notebooks.take(method, message["params"])

    def _synchronize(self, method: str, params: Message) -> None:
        item = params["textDocument"]
        uri = item["uri"]
        if method == "textDocument/didOpen":
            self.documents[uri] = Document(uri, item["text"], item["languageId"], item["version"])
        elif method == "textDocument/didClose":
            self.documents.pop(uri, None)
        elif method == "textDocument/didChange" and uri in self.documents:
            document = self.documents[uri]
            for change in params["contentChanges"]:
                document = self._changed(document, change, item["version"])
            self.documents[uri] = document

    def _changed(self, document: Document, change: Message, version: int) -> Document:
        if "range" not in change:
            return Document(document.uri, change["text"], document.language, version)
        start, end = (
            document.offset(place["line"], place["character"], self._encoding)
            for place in (change["range"]["start"], change["range"]["end"])
        )
        return document.edited(start, end, change["text"], version)

    def received(self, message: Any) -> tuple[bool, Message | None]:
        """Take in a message of the engine: whether the client gets it, and an answer to it."""
        try:
            return self._receive(message)
        except (KeyError, TypeError, ValueError, AttributeError):
            return True, None

    def _receive(self, message: Message) -> tuple[bool, Message | None]:
        method = message.get("method")
        if method is None:
            return self._answered(message), None
        params = message.get("params")
        if method == "$/progress" and params:
            token, kind = json.dumps(params["token"]), params["value"]["kind"]
            change = self._progress.discard if kind == "end" else self._progress.add
            change(token)
        elif method == "client/registerCapability" and params:
            ids = {registration["id"] for registration in params["registrations"]}
            if ids <= self._registered:
                return False, {"jsonrpc": "2.0", "id": message["id"], "result": None}
            self._registered |= ids
        return True, None

    def _answered(self, message: Message) -> bool:
        """Whether the client waits for this answer."""
        if str(message.get("id")).startswith(_REPLAY):
            return False
        asked = self._pending.pop(_key(message), None)
        if asked is not None and asked["method"] == "initialize" and "result" in message:
            capabilities = message["result"]["capabilities"]
            self._encoding = PositionEncoding(capabilities.get("positionEncoding", "utf-16"))
        return True

    def last_words(self) -> Iterator[Message]:
        """What the client is owed by an engine process that is gone.

        The answer to `initialize` comes from the next one.
        """
        for key, asked in list(self._pending.items()):
            if asked["method"] != "initialize":
                del self._pending[key]
                yield nothing(asked)
        for token in sorted(self._progress):
            value = {"token": json.loads(token), "value": {"kind": "end"}}
            yield {"jsonrpc": "2.0", "method": "$/progress", "params": value}
        self._progress.clear()

    def replay(self) -> Iterator[Message]:
        """What brings the next engine process to where the last one was."""
        if self.initialize is None:
            return
        is_pending = _key(self.initialize) in self._pending
        yield self.initialize if is_pending else self._again(self.initialize)
        if not self.is_initialized:
            return
        yield {"jsonrpc": "2.0", "method": "initialized", "params": {}}
        if self._configuration:
            yield self._configuration
        if self._pause:
            yield self._again(self._pause)
        cells = self._notebooks.cells()
        for uri, document in self.documents.items():
            if uri not in cells:
                yield _opening(document)
        yield from self._notebooks.openings(self._item)

    def _item(self, uri: str) -> Message | None:
        return _item(self.documents[uri]) if uri in self.documents else None

    def _again(self, message: Message) -> Message:
        self._replays += 1
        return {**message, "id": f"{_REPLAY}-{self._replays}"}


def nothing(asked: Message) -> Message:
    """An answer to a request that the engine process did not live to answer."""
    answer: Message = {"jsonrpc": "2.0", "id": asked["id"]}
    if asked["method"] in _EMPTY:
        return {**answer, "result": _EMPTY[asked["method"]]}
    reason = "Midline's engine process has ended and is being started again; ask once more."
    return {**answer, "error": {"code": _FAILED, "message": reason}}


def _key(message: Message) -> str:
    """An id as a key: 1 and "1" are two."""
    return json.dumps(message["id"])


def _opening(document: Document) -> Message:
    params = {"textDocument": _item(document)}
    return {"jsonrpc": "2.0", "method": "textDocument/didOpen", "params": params}


def _item(document: Document) -> Message:
    return {
        "uri": document.uri,
        "languageId": document.language,
        "version": document.version,
        "text": document.text,
    }
