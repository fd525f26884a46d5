"""Completions written ahead: what is shown next if the person accepts what is shown now.

After an offer, two places are likely: the one behind it (Tab, or the last of its keys), and the
line below that (Enter). Their completions are written while the engine is idle and adopted when the
document is exactly what was expected. A key that leads elsewhere abandons them, and so does
whatever else the engine is needed for.
"""

from typing import TYPE_CHECKING

from midline.model.completion.code_lines import opens
from midline.model.completion.file_style import FileStyle
from midline.server.documents import Document
from midline.server.lsp.live_completion import LiveCompletion

if TYPE_CHECKING:
    from midline.server.lsp.session import Snapshot

_UNIT = "    "
"""One level of indentation where a file does not tell."""


class WritingAhead:
    """The completions written ahead in each document; owned by the event loop."""

    def __init__(self) -> None:
        self._lives: dict[str, tuple[LiveCompletion, ...]] = {}

    def of(self, uri: str) -> tuple[LiveCompletion, ...]:
        """Those of a document, the place that comes first first."""
        return self._lives.get(uri, ())

    def expect(self, live: LiveCompletion, snapshot: "Snapshot", shown: str) -> bool:
        """Expect `shown`, which `live` offers at `snapshot`, to be accepted; whether that is news.

        Nothing is expected where `live` goes on behind the offer by itself.
        """
        uri, offset = snapshot.uri, snapshot.offset + len(shown)
        document = snapshot.document.edited(snapshot.offset, snapshot.offset, shown, None)
        old = self.of(uri)
        if old and not old[0].stale and _is_at(old[0], document, offset):
            return False
        self.drop(uri)
        if live.goes_on_behind(live.typed + shown):
            return False
        behind = live.at(document, offset)
        line = _next_line(behind.snapshot)
        below = document.edited(offset, offset, line, None)
        self._lives[uri] = behind, live.at(below, offset + len(line))
        return True

    def edited(self, document: Document) -> None:
        """Abandon what a new version of a document does not lead to."""
        for live in self.of(document.uri):
            if not _leads_to(document, live):
                self._remove(live)

    def give_way(self) -> None:
        """Abandon what is not finished, in every document."""
        for live in [live for lives in self._lives.values() for live in lives]:
            if not live.is_finished:
                self._remove(live)

    def _remove(self, live: LiveCompletion) -> None:
        live.abandon()
        self._lives[live.uri] = tuple(other for other in self.of(live.uri) if other is not live)
        if not self._lives[live.uri]:
            del self._lives[live.uri]

    def take(self, document: Document, offset: int) -> LiveCompletion | None:
        """The completion of exactly this place, if it is being written or has something to show."""
        for live in self.of(document.uri):
            if live.stale or live.plan is None or not live.follow(document, offset):
                continue
            if live.is_finished and not (live.left(document, offset) or live.typed == ""):
                continue
            self._lives[live.uri] = tuple(o for o in self.of(live.uri) if o is not live)
            return live
        return None

    def drop(self, uri: str) -> None:
        """Abandon what is written ahead in a document."""
        for live in self._lives.pop(uri, ()):
            live.abandon()


def _is_at(live: LiveCompletion, document: Document, offset: int) -> bool:
    snapshot = live.snapshot
    return snapshot.offset == offset and snapshot.document.text == document.text


def _leads_to(document: Document, live: LiveCompletion) -> bool:
    """Whether `document` is what `live` expects, or lacks the end of it, or has gone on from it."""
    expected, at, text = live.snapshot.document.text, live.snapshot.offset, document.text
    kept = at - (len(expected) - len(text))
    if kept > at:
        return live.typed_in(document) is not None
    return kept >= 0 and text[:kept] == expected[:kept] and text[kept:] == expected[at:]


def _next_line(snapshot: "Snapshot") -> str:
    """A line end and the indentation that an editor gives the line below the cursor."""
    style = FileStyle.of(snapshot.cursor)
    line = snapshot.cursor.fragment.decode("utf-8", "replace").rstrip()
    indentation = line[: len(line) - len(line.lstrip(" \t"))]
    if opens(line) and not line.endswith(","):
        indentation += style.unit or _UNIT
    return style.line_end + indentation
