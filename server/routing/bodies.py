"""Whole bodies of a function that has none yet: candidates, best first, that all parse."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from midline.model.completion.file_style import FileStyle
from midline.model.decoding.options import SamplingOptions
from midline.model.errors import MidlineError
from midline.server.documents import Document, from_bytes, to_bytes
from midline.server.routing.definitions import Definition
from midline.server.routing.edits import Edit, TextEdit, changed_texts, check_syntax
from midline.server.routing.stubs import stub_of
from midline.server.routing.workspace import Workspace

if TYPE_CHECKING:
    from midline.model.cancellation import Cancellation
    from midline.model.engines.base import Engine

SAMPLES = 6
MOST = 4
"""Most candidates that are offered."""
MAX_TOKENS = 256
_SPACE = re.compile(rb"[ \t]*")


@dataclass(frozen=True)
class BodyPlace:
    """`lead`, a body and `tail` take the place of the bytes from `start` to `end` of a file."""

    name: str
    path: Path
    start: int
    end: int
    lead: str
    tail: str

    def edit(self, body: str) -> Edit:
        """The edit that writes `body`."""
        change = TextEdit(self.path, self.start, self.end, to_bytes(self.lead + body + self.tail))
        return Edit(f"the body of {self.name} is written", (change,))


def body_place(definition: Definition) -> BodyPlace:
    """Where the body of a function goes; MidlineError if it has one already."""
    found = stub_of(definition)
    if found is None:
        raise MidlineError(f"{definition.name} has a body already; the action is for empty ones")
    (start, end), data = found, definition.source.data
    outer = _indent_of(data, definition.node.start_byte)
    inner = outer + _unit(data, definition.source.path)
    closes = data[end : end + 1] == b"}"
    own_line = not data[data.rfind(b"\n", 0, start) + 1 : start].strip()
    if not closes and own_line:
        lead = ""
        start = data.rfind(b"\n", 0, start) + 1
        inner = _indent_of(data, start)
        lead = inner
    else:
        lead = f"\n{inner}"
    if not closes:
        end = len(data[:end].rstrip())
    end = max(start, end)
    return BodyPlace(
        definition.name, definition.source.path, start, end, lead, f"\n{outer}" if closes else ""
    )


def _indent_of(data: bytes, at: int) -> str:
    match = _SPACE.match(data, data.rfind(b"\n", 0, at) + 1)
    return match[0].decode() if match else ""


def _unit(data: bytes, path: Path) -> str:
    from midline.model.completion.fim import Cursor

    return FileStyle.of(Cursor(data, b"", data.count(b"\n"), path.name)).unit or "    "


def run_bodies(
    engine: "Engine", place: BodyPlace, workspace: Workspace, cancel: "Cancellation"
) -> list[str]:
    """At most `MOST` bodies, the likeliest first; MidlineError if none of the model's parses."""
    from midline.model.completion.complete import complete
    from midline.model.completion.fim import WindowLimits

    data = workspace.data(place.path) or b""
    before = from_bytes(data[: place.start]) + place.lead
    text = before + place.tail + from_bytes(data[place.end :])
    document = Document(place.path.as_uri(), text)
    limits = WindowLimits()
    options = SamplingOptions.chosen(SAMPLES, 0.6, True, max_tokens=MAX_TOKENS)
    result = complete(
        engine, document.cursor(len(before), limits), options, limits=limits, cancel=cancel
    )
    if cancel.is_set():
        raise MidlineError("it was stopped before the model had answered")
    bodies = [s.text.rstrip() for s in result.suggestions if s.finish_reason == "stop"]
    kept = [
        body for body in dict.fromkeys(bodies) if body.strip() and _fits(place, body, workspace)
    ]
    if not kept:
        raise MidlineError(f"the model wrote no body of {place.name} that parses; try again later")
    return kept[:MOST]


def _fits(place: BodyPlace, body: str, workspace: Workspace) -> bool:
    try:
        check_syntax(changed_texts(place.edit(body), workspace))
    except MidlineError:
        return False
    return True
