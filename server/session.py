"""What the server knows of the client: its documents, its settings, its requests under way.

Only the event loop changes a session. Documents and settings are immutable, so what a task takes
along is a snapshot.
"""

from dataclasses import dataclass, field

from midline.kernels import CancelFlag
from midline.model.fim import Cursor
from midline.server.documents import Document, PositionEncoding
from midline.server.settings import Settings


@dataclass(frozen=True)
class Snapshot:
    """What a completion is made from: the text around a cursor, and the settings of that moment."""

    uri: str
    cursor: Cursor
    settings: Settings


class Request:
    """A request under way for the document `uri`.

    A request that is given up still reads its prompt to the end: the next one, a key later, mostly
    begins with the same tokens, and would otherwise start over at every key. An aborted one stops
    between two layers of the model.
    """

    def __init__(self, uri: str) -> None:
        self.uri = uri
        self.stale = False
        self.flag = CancelFlag()

    def give_up(self) -> None:
        """Nobody waits for the answer any more."""
        self.stale = True

    def abort(self) -> None:
        """Nor is the prompt of use to anybody."""
        self.stale = True
        self.flag.set()


@dataclass
class Session:
    """State of one client."""

    encoding: PositionEncoding = PositionEncoding.UTF16
    settings: Settings = field(default_factory=Settings)
    documents: dict[str, Document] = field(default_factory=dict)
    shutdown_requested: bool = False
    _live: dict[str, Request] = field(default_factory=dict)

    def open(self, document: Document) -> None:
        """Take over a document from the client, in place of one of the same name."""
        self.documents[document.uri] = document
        self.give_up(document.uri)

    def close(self, uri: str) -> None:
        """The client has let go of a document."""
        self.documents.pop(uri, None)
        if uri in self._live:
            self._live.pop(uri).abort()

    def edit(self, document: Document) -> None:
        """A new version of an open document: what is under way for the old one is stale."""
        self.documents[document.uri] = document
        self.give_up(document.uri)

    def completable(self, uri: str) -> Document | None:
        """The open document of this name, if the settings allow to complete it."""
        document = self.documents.get(uri)
        return document if document and self.settings.serves(document.language) else None

    def snapshot(self, document: Document, offset: int) -> Snapshot:
        """What a completion at `offset` of `document` is made from."""
        cursor = document.cursor(offset, self.settings.limits())
        return Snapshot(document.uri, cursor, self.settings)

    def begin(self, uri: str) -> Request:
        """A new request for a document; the one before it is given up, newest wins."""
        self.give_up(uri)
        self._live[uri] = Request(uri)
        return self._live[uri]

    def end(self, uri: str, request: Request) -> None:
        """The request is answered, whatever the answer was."""
        request.give_up()
        if self._live.get(uri) is request:
            del self._live[uri]

    def give_up(self, uri: str) -> None:
        """Stop working on the request under way for a document, if there is one."""
        request = self._live.pop(uri, None)
        if request is not None:
            request.give_up()
