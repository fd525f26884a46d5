"""A live completion: a completion of one document that continues across keys.

It begins at a place of a text (its origin) and is written on the engine's thread. A key that agrees
with what has been written only moves the cursor along it: nothing is computed again, and decoding
goes on meanwhile. A key that disagrees, or an edit anywhere else, abandons it.

The event loop owns `typed`, `is_overdue` and the flag, the engine's thread owns `written`,
`tokens`, `offers` and `is_finished`; each reads what the other owns, and all of them are replaced,
never changed in place.
"""

import asyncio
import contextlib
from dataclasses import replace
from typing import TYPE_CHECKING

from midline.kernels import CancelFlag
from midline.model.completion.code_lines import CLOSERS
from midline.model.completion.confidence import GATE, Gate, TokenConfidence, confident_end
from midline.model.completion.whole_ends import WholeEnd, last_whole_end
from midline.server.documents import Document

if TYPE_CHECKING:
    from midline.model.completion.ranking import Suggestion
    from midline.model.completion.task import CompletionResult
    from midline.server.lsp.prompt_window import Plan
    from midline.server.lsp.session import Snapshot

_MOST_CLOSERS = 8


class LiveCompletion:
    """What is written at `snapshot`'s place; `offers` are what may be shown there, best first.

    Unless it is `gated`, they are shown however unlikely they are. `gate` has the thresholds, and
    `at_pause` tells that it is the pause model's.
    """

    def __init__(
        self,
        snapshot: "Snapshot",
        *,
        by_hand: bool = False,
        gated: bool = True,
        gate: Gate = GATE,
        at_pause: bool = False,
        loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        self.snapshot = snapshot
        self.by_hand = by_hand
        self.is_gated = gated
        self.gate = gate
        self.at_pause = at_pause
        self.uri = snapshot.uri
        self.typed = ""
        self.written = ""
        self.tokens: tuple[TokenConfidence, ...] = ()
        """Those of `written`; none where all that is offered may be shown."""
        self.offers: tuple[Suggestion, ...] = ()
        self.ends: tuple[WholeEnd, ...] | None = None
        """Where the first of `offers` may be cut; None for its end alone."""
        self.is_finished = False
        self.is_overdue = False
        """Set by the event loop where somebody waits for a beginning that may be shown."""
        self.result: CompletionResult | None = None
        self.plan: Plan | None = None
        self.error: BaseException | None = None
        self.flag = CancelFlag()
        self._compared: tuple[Document, str | None] | None = None
        self.loop = loop or asyncio.get_running_loop()
        self.shown: tuple[Snapshot, str] | None = None
        """What was last answered from it, and where."""
        self._news = asyncio.Event()

    @property
    def stale(self) -> bool:
        """Whether the completion was abandoned before it was finished."""
        return self.flag.is_set()

    def abandon(self) -> None:
        """Cancel the work between two layers of the model; computed tokens stay cached.

        Nothing happens to a finished one, which costs nothing any more.
        """
        if not self.is_finished:
            self.flag.set()

    def publish(
        self,
        offers: "tuple[Suggestion, ...]",
        ends: tuple[WholeEnd, ...] | None = None,
    ) -> None:
        """Set the offers and where the first may be cut; called on the engine's thread."""
        self.ends, self.offers = ends, offers
        self._tell()

    def finish(self) -> None:
        """Mark the completion as finished; called on the engine's thread."""
        self.is_finished = True
        self._tell()

    def _tell(self) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended, and with it whoever waited
            self.loop.call_soon_threadsafe(self._news.set)

    async def news(self, seconds: float | None) -> None:
        """Wait for a change, at most `seconds`."""
        self._news.clear()
        if self.is_finished:
            return
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._news.wait(), seconds)

    def at(self, document: Document, offset: int) -> "LiveCompletion":
        """A live completion of another place that is not written yet."""
        snapshot = replace(self.snapshot, document=document, offset=offset)
        return LiveCompletion(snapshot, gated=self.is_gated, loop=self.loop)

    def agrees(self, text: str) -> bool:
        """Whether what was typed and what was written may still be the same."""
        return (
            self.written.startswith(text)
            or (not self.is_finished and text.startswith(self.written))
            or any(offer.text.startswith(text) for offer in self.offers)
        )

    def _inserted(self, document: Document) -> str | None:
        """What stands at the origin of `document` besides the text there was; None if it differs
        elsewhere. Every version of a document is compared once.
        """
        if self._compared is None or self._compared[0] is not document:
            self._compared = document, _inserted_at(self.snapshot, document)
        return self._compared[1]

    def typed_in(self, document: Document) -> str | None:
        """What stands at the origin of `document` besides the text there was; None if it differs
        elsewhere. Closing brackets and quotes that an editor put after the cursor are left out.
        """
        inserted = self._inserted(document)
        if inserted is None:
            return None
        for count in range(min(_MOST_CLOSERS, len(inserted)) + 1):
            typed = inserted[: len(inserted) - count]
            if self.agrees(typed):
                return typed
            if typed[-1:] not in CLOSERS:
                break
        return None

    def follow(self, document: Document, offset: int) -> bool:
        """Move the cursor along to `offset`; False if the text there does not agree."""
        inserted = self._inserted(document)
        length = offset - self.snapshot.offset
        if inserted is None or not 0 <= length <= len(inserted):
            return False
        typed, closers = inserted[:length], inserted[length:]
        if len(closers) > _MOST_CLOSERS or closers.strip(CLOSERS) or not self.agrees(typed):
            return False
        self.typed = typed
        return True

    def left(self, document: Document, offset: int) -> "list[Suggestion]":
        """What remains of the offers behind what was typed, as far as it is likely enough, without
        closers that are there now.
        """
        closers = len(document.text) - len(self.snapshot.document.text) - len(self.typed)
        behind = document.text[offset : offset + max(0, closers)]
        found = []
        for offer in self.offers:
            text = _without(self._likely(offer.text, self.typed), behind)
            if text:
                found.append(replace(offer, text=text))
        return found

    def goes_on_behind(self, typed: str) -> bool:
        """Whether something is to be shown to somebody who has typed `typed`."""
        return any(self._likely(offer.text, typed) for offer in self.offers)

    def _likely(self, offer: str, typed: str) -> str:
        """What an offer has behind `typed`, as far as it is likely enough."""
        if not offer.startswith(typed):
            return ""
        if not self.tokens:
            return offer[len(typed) :]
        end = confident_end(self.written, self.tokens, len(typed), self.gate)
        if end < len(self.written):
            end = _same_place(self.written, end, offer)
        ends = (WholeEnd(len(offer), True),) if self.ends is None else self.ends
        return offer[len(typed) : last_whole_end(offer, ends, len(typed), end)]


def _inserted_at(snapshot: "Snapshot", document: Document) -> str | None:
    before, at, after = snapshot.document.text, snapshot.offset, document.text
    behind = at + len(after) - len(before)
    if behind < at or after[:at] != before[:at] or after[behind:] != before[at:]:
        return None
    return after[at:behind]


def _same_place(text: str, end: int, other: str) -> int:
    """Where `other`, which differs from `text` in white space only, is as far as `text[:end]`."""
    if other.startswith(text[:end]):
        return end
    wanted = sum(not character.isspace() for character in text[:end])
    for at, character in enumerate(other):
        if wanted == 0:
            return at
        wanted -= not character.isspace()
    return len(other)


def _without(text: str, behind: str) -> str:
    """`text` without what stands behind the cursor already: closers at its end, or of its line."""
    if not behind:
        return text
    whole = text.rstrip()
    if whole.endswith(behind):
        return whole[: -len(behind)]
    line = text.partition("\n")[0].rstrip()
    return line[: -len(behind)] if line.endswith(behind) else text
