"""The session: documents, settings and current requests of the client.

Only the event loop changes a session. Documents and settings are immutable, so tasks on other
threads get snapshots.
"""

import time
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice

from midline.model.completion.fim import Cursor
from midline.server.context.projects import file_path
from midline.server.documents import Document, PositionEncoding
from midline.server.lsp.live_completion import LiveCompletion
from midline.server.lsp.settings import Settings
from midline.server.lsp.writing_ahead import WritingAhead
from midline.server.notebooks import Notebook, notebook_of, whole

_MAX_OTHERS = 16
"""Most open and recently edited documents that a prompt takes chunks from."""
_MAX_CLOSED = 8


@dataclass(frozen=True)
class Snapshot:
    """The input of a completion: a position in a document, other documents, and the settings.

    `others` are what else is open or was edited before it was closed, the latest first.
    """

    document: Document
    offset: int
    settings: Settings
    others: tuple[Document, ...] = ()

    @property
    def uri(self) -> str:
        """Name of the document."""
        return self.document.uri

    @cached_property
    def cursor(self) -> Cursor:
        """The text around the position, as much as the settings allow."""
        return self.document.cursor(self.offset, self.settings.limits())


class Request:
    """A client's request under way for the document `uri`; `began` is its time in seconds."""

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.began = time.perf_counter()
        self.stale = False

    def give_up(self) -> None:
        """Mark the request as stale: its answer is no longer wanted."""
        self.stale = True


@dataclass
class Session:
    """State of one client."""

    encoding: PositionEncoding = PositionEncoding.UTF16
    settings: Settings = field(default_factory=Settings)
    documents: dict[str, Document] = field(default_factory=dict)
    notebooks: dict[str, Notebook] = field(default_factory=dict)
    """Notebooks by name; their cells are among the documents."""
    shutdown_requested: bool = False
    is_paused: bool = False
    """Whether the user wants no completions for now."""
    live: dict[str, LiveCompletion] = field(default_factory=dict)
    """The latest completion of each open document."""
    ahead: WritingAhead = field(default_factory=WritingAhead)
    _requests: dict[str, Request] = field(default_factory=dict)
    _used: dict[str, bool] = field(default_factory=dict)
    """Whether an open document was edited; what was opened or edited last comes last."""
    _closed: dict[str, Document] = field(default_factory=dict)

    def open(self, document: Document) -> None:
        """Take over a document from the client, in place of one of the same name."""
        self._closed.pop(document.uri, None)
        self._replace(document, edited=False)
        self.ahead.drop(document.uri)
        self._abandon(document.uri)

    def close(self, uri: str) -> None:
        """Remove a document that the client has closed."""
        document = self.documents.pop(uri, None)
        if self._used.pop(uri, False) and document:
            self._closed[uri] = document
            while len(self._closed) > _MAX_CLOSED:
                del self._closed[next(iter(self._closed))]
        self.give_up(uri)
        self.ahead.drop(uri)
        self._abandon(uri)

    def edit(self, document: Document) -> None:
        """A new version of an open document: a request for the old one is stale, and its live
        completion goes on only if the edit agrees with it.
        """
        self._replace(document, edited=True)
        live = self.live.get(document.uri)
        text, _ = whole(document, self.notebooks, self.documents)
        if live is not None and live.typed_in(text) is None:
            self._abandon(document.uri)
        self.ahead.edited(text)

    def _replace(self, document: Document, edited: bool) -> None:
        self.documents[document.uri] = document
        self._used.pop(document.uri, None)
        self._used[document.uri] = edited
        self.give_up(document.uri)

    def completable(self, uri: str) -> Document | None:
        """The open document of this name, if the settings allow to complete it."""
        document = self.documents.get(uri)
        serves = document is not None and self.settings.serves(document.language)
        return document if serves and not self.is_paused else None

    def snapshot(self, document: Document, offset: int) -> Snapshot:
        """What a completion at `offset` of `document` is made from: of a cell, its notebook."""
        text, start = whole(document, self.notebooks, self.documents)
        return Snapshot(text, start + offset, self.settings, self._others(document.uri))

    def _others(self, uri: str) -> tuple[Document, ...]:
        """What a completion of the document `uri` may read besides it, the latest first."""
        book = notebook_of(uri, self.notebooks)
        open_ones = [
            self.documents[other]
            for other in reversed(self._used)
            if other != uri and not (book and book.has(other))
        ]
        closed = [document for document in reversed(self._closed.values()) if _is_there(document)]
        served = (
            document
            for document in (*open_ones, *closed)
            if self.settings.serves(document.language)
        )
        return tuple(islice(served, _MAX_OTHERS))

    def use(self, settings: Settings) -> None:
        """Take other settings; what was answered under the old ones is forgotten."""
        if settings != self.settings:
            for uri in list(self.live):
                self.ahead.drop(uri)
                self._abandon(uri)
        self.settings = settings

    def replace_live(self, live: LiveCompletion) -> None:
        """Take over a new live completion: the one before it ends, and so does what is still being
        written for other documents though nobody waits for it.
        """
        for uri, other in list(self.live.items()):
            if uri == live.uri or not (other.is_finished or uri in self._requests):
                self._abandon(uri)
        self.live[live.uri] = live

    def give_way(self) -> None:
        """End what is still being written though nobody waits for it: others want the engine."""
        for uri, live in list(self.live.items()):
            if not (live.is_finished or uri in self._requests):
                self._abandon(uri)
        self.ahead.give_way()

    def forget(self, live: LiveCompletion) -> None:
        """Drop a live completion, for example after it failed."""
        if self.live.get(live.uri) is live:
            self._abandon(live.uri)

    def _abandon(self, uri: str) -> None:
        live = self.live.pop(uri, None)
        if live is not None:
            live.abandon()

    def begin(self, uri: str) -> Request:
        """Start a request for a document; an older request becomes stale."""
        self.give_up(uri)
        self._requests[uri] = Request(uri)
        return self._requests[uri]

    def end(self, uri: str, request: Request) -> None:
        """Remove an answered request."""
        request.give_up()
        if self._requests.get(uri) is request:
            del self._requests[uri]

    def give_up(self, uri: str) -> None:
        """Mark the current request of a document as stale."""
        request = self._requests.pop(uri, None)
        if request is not None:
            request.give_up()


def _is_there(document: Document) -> bool:
    """Whether a document that is not open is still a file."""
    path = file_path(document.uri)
    return path is not None and path.exists()
