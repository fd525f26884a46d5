"""What an editor's measurement finds, the same for every editor."""

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class ServerOptions:
    """What the editor's settings tell the server: a GGUF file, and threads or its own choice."""

    model: Path
    threads: int | None = None


@dataclass(frozen=True)
class TypedText:
    """What is typed: `text` behind `before`, in a file of this `name`."""

    name: str
    before: str
    text: str


@dataclass(frozen=True)
class Timing:
    """Times of keys that found no ghost text on the screen and brought some, in milliseconds.

    server: the server's own time of the same answers, as `midline/status` tells it. silent: keys
    that brought nothing. editor: name and version.
    """

    editor: str
    screen_ms: list[float]
    server_ms: list[float]
    silent: int = 0
    versions: dict[str, str] = field(default_factory=dict)


def typed_text(path: Path, lines: int) -> TypedText:
    """The source file `path`, of which the last `lines` lines are typed."""
    text = path.read_text("utf-8").splitlines(keepends=True)
    return TypedText(path.name, "".join(text[:-lines]), "".join(text[-lines:]))
