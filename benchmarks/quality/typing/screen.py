"""What an editor shows: ghost text after a key, and after an answer of the engine.

The rules are those of VS Code's inline suggestions. A key that the ghost text begins with leaves
the rest of it on the screen; another key removes it. The answer to the latest request replaces what
is shown, also by nothing. Answers to earlier requests are dropped.
"""

from dataclasses import dataclass, field
from enum import StrEnum


class Cause(StrEnum):
    """Why the screen is as it is."""

    KEY = "key"
    """the person typed"""
    APPEARED = "appeared"
    """an answer where nothing was shown"""
    KEPT = "kept"
    """an answer that is what was shown"""
    GREW = "grew"
    """an answer that goes on from what was shown"""
    CHANGED = "changed"
    """an answer that is something else, or less"""
    VANISHED = "vanished"
    """an empty answer where something was shown"""


FLICKER = frozenset({Cause.CHANGED, Cause.VANISHED})
"""What a person has not asked for."""


@dataclass(frozen=True)
class State:
    """The ghost text from a time (seconds) on, "" for none, and what made it."""

    at: float
    text: str
    cause: Cause


@dataclass
class Screen:
    """The ghost text of one cursor; `states` are those since the last key, that key's own first."""

    text: str = ""
    states: list[State] = field(default_factory=list)

    def typed(self, text: str, at: float) -> None:
        """Characters were inserted at the cursor."""
        left = self.text.removeprefix(text) if self.text.startswith(text) else ""
        self._begin(left, at)

    def moved(self, at: float) -> None:
        """The cursor moved without text, or a character was erased."""
        self._begin("", at)

    def replaced(self, text: str, at: float) -> None:
        """A key after which the editor itself decided what is shown."""
        self._begin(text, at)

    def answered(self, text: str, at: float) -> None:
        """The answer to the request for this place, "" if there is nothing to show."""
        self.states.append(State(at, text, _cause(self.text, text)))
        self.text = text

    def _begin(self, text: str, at: float) -> None:
        self.text = text
        self.states = [State(at, text, Cause.KEY)]


def _cause(before: str, after: str) -> Cause:
    if before == after:
        return Cause.KEPT
    if not before:
        return Cause.APPEARED
    if not after:
        return Cause.VANISHED
    return Cause.GREW if after.startswith(before) else Cause.CHANGED
