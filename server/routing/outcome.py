"""What an action ends in; the command line and the language server each show it in their way."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midline.model.errors import UsageError
from midline.server.routing.edits import Edit

if TYPE_CHECKING:
    from midline.server.routing.definitions import Definition


class QuestionError(UsageError):
    """A slot does not resolve: the message asks for it in one sentence."""


@dataclass(frozen=True)
class Place:
    """A line of a file, counted from 1, with its text."""

    path: Path
    line: int
    text: str = ""


@dataclass(frozen=True)
class Places:
    """Where to look; `go` if the first one is to be opened."""

    places: tuple[Place, ...]
    go: bool = False


@dataclass(frozen=True)
class Answer:
    """A text for the user; code of `language`, if that is named."""

    text: str
    language: str = ""

    @property
    def markdown(self) -> str:
        """The text, in a fence if it is code."""
        return f"```{self.language}\n{self.text.rstrip()}\n```" if self.language else self.text


@dataclass(frozen=True)
class ShellCommand:
    """A command that is run only once the user has agreed."""

    words: tuple[str, ...]
    folder: Path


@dataclass(frozen=True)
class Control:
    """What is to change in Midline itself: `settings` by their names, as a client writes them.

    status: the answer is what the server is doing. seconds: how long it holds, None for good.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    seconds: float | None = None
    status: bool = False


@dataclass(frozen=True)
class Ask:
    """A prompt for the model, and what becomes of its answer.

    samples, seconds: the budget, None for no limit of time. finish: an edit or the text itself.
    shots: questions and answers that go before, as examples. begins: what the answer begins with,
    put into the model's mouth. ends: what ends it.
    """

    prompt: str
    finish: "Callable[[str], Edit | Answer]"
    samples: int = 1
    seconds: float | None = None
    shots: tuple[tuple[str, str], ...] = ()
    begins: str = ""
    ends: Callable[[str], bool] | None = None


@dataclass(frozen=True)
class CompleteAt:
    """A completion: `lead` and what the model writes replace the bytes from `start` to `end`.

    body: the function whose whole body it is, where that is still to be written.
    """

    path: Path
    start: int
    end: int
    lead: str = ""
    samples: int = 1
    seconds: float | None = None
    body: "Definition | None" = None


Outcome = Edit | Places | Answer | ShellCommand | Control | Ask | CompleteAt
"""What an action returns."""
