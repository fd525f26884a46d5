"""A completion that was shown and is being typed: it goes on from memory, nothing is computed."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from midline.server.documents import Document

if TYPE_CHECKING:
    from midline.model.completion.ranking import Suggestion


@dataclass(frozen=True)
class Shown:
    """What was answered for a cursor at `offset` of `document`."""

    document: Document
    offset: int
    suggestions: "tuple[Suggestion, ...]"

    def continued(self, document: Document, offset: int) -> "list[Suggestion]":
        """What is left of the suggestions that agree with what has been typed since.

        Nothing if anything else has changed in the text, or if a suggestion has been typed whole.
        """
        typed = self._typed(document, offset)
        if typed is None:
            return []
        return [
            replace(suggestion, text=suggestion.text[len(typed) :])
            for suggestion in self.suggestions
            if suggestion.text.startswith(typed) and suggestion.text != typed
        ]

    def _typed(self, document: Document, offset: int) -> str | None:
        """The text between the cursor then and now; None if that is not the only difference."""
        before, after = self.document.text, document.text
        grown = offset - self.offset
        if grown < 0 or len(after) - len(before) != grown:
            return None
        typed = after[self.offset : offset]
        if not any(suggestion.text.startswith(typed) for suggestion in self.suggestions):
            return None
        at = self.offset
        unchanged = after[:at] == before[:at] and after[offset:] == before[at:]
        return typed if unchanged else None
