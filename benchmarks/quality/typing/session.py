"""A person types scripted lines with an assistant; every key is recorded with what it showed."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from midline.benchmarks.quality.typing.files import TypedFile
from midline.benchmarks.quality.typing.rhythm import Kind, Rhythm, Stroke
from midline.benchmarks.quality.typing.screen import Screen
from midline.model.errors import MidlineError
from midline.server.documents import to_bytes


class Assistant(Protocol):
    """What types on behalf of a person and shows ghost text on its `screen`."""

    name: str
    screen: Screen

    async def open(self, uri: str, text: str, language: str) -> None:
        """Open a document."""

    async def close_all(self) -> None:
        """Close every document."""

    def jump(self, uri: str, offset: int) -> None:
        """Move the cursor."""

    def insert(self, text: str) -> None:
        """Type at the cursor."""

    def erase(self) -> None:
        """Take back one character."""

    async def settle(self) -> None:
        """Wait until nothing is computed any more."""

    def cpu_seconds(self) -> float | None:
        """Processor time so far."""

    def tokens_read(self) -> int | None:
        """Prompt tokens computed so far."""


@dataclass(frozen=True)
class Position:
    """A key and what was on the screen until the next one, `seconds` later.

    `truth` is what the person goes on to write, up to the end of the block; empty for a slip.
    `states` are the ghost texts: milliseconds since the key, text, and cause (`screen`).
    `tokens_read` are the prompt tokens computed until the next key, None where nobody counts them.
    """

    engine: str
    language: str
    file: str
    block: int
    line: int
    typed: int
    kind: str
    seconds: float
    truth: str
    states: list[tuple[float, str, str]] = field(default_factory=list)
    tokens_read: int | None = None

    @property
    def place(self) -> tuple[str, str, int, int, int, str]:
        """What positions of two engines are paired by."""
        return (self.language, self.file, self.block, self.line, self.typed, self.kind)

    def text_at(self, milliseconds: float) -> str:
        """The ghost text at a time after the key."""
        shown = [text for at, text, _ in self.states if at <= milliseconds]
        return shown[-1] if shown else ""


@dataclass(frozen=True)
class Cost:
    """Cost of a block: seconds of the clock and of the processor, and prompt tokens computed;
    the most memory until its end.
    """

    engine: str
    language: str
    file: str
    block: int
    seconds: float
    cpu_seconds: float | None
    tokens_read: int | None
    memory_bytes: int | None = None


class Trace:
    """The record of a run: JSON lines, whole blocks only, so that a run can be continued.

    Its first line says what the run was started with; MidlineError if that is something else now.
    """

    def __init__(self, path: Path | None, about: dict[str, Any]) -> None:
        self.path = path
        self.positions: list[Position] = []
        self.costs: list[Cost] = []
        if path is None:
            return
        rows = list(_rows(path))
        if rows and rows[0] != about:
            raise MidlineError(
                f"{path} is the trace of a run with other options; name another file, or remove it"
            )
        for row in rows[1:]:
            self.positions += [_position(one) for one in row["positions"]]
            self.costs.append(Cost(**row["cost"]))
        if not rows:
            path.write_text(json.dumps(about) + "\n", "utf-8")

    def has(self, engine: str, file: TypedFile, block: int) -> bool:
        """Whether a block was typed already."""
        key = (engine, file.language, file.name, block)
        return any((c.engine, c.language, c.file, c.block) == key for c in self.costs)

    def add(self, positions: list[Position], cost: Cost) -> None:
        """Keep a block."""
        self.positions += positions
        self.costs.append(cost)
        if self.path is not None:
            row = {"positions": [asdict(one) for one in positions], "cost": asdict(cost)}
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row) + "\n")


def _rows(path: Path) -> Iterator[Any]:
    """Rows of a trace; an unfinished last line is left out, and cut off the file."""
    if not path.exists():
        return
    data = path.read_bytes()
    end = data.rfind(b"\n") + 1
    if end != len(data):
        path.write_bytes(data[:end])
    for line in data[:end].splitlines():
        with suppress(ValueError):
            yield json.loads(line)


def _position(row: dict[str, Any]) -> Position:
    return Position(**{**row, "states": [tuple(state) for state in row["states"]]})


@dataclass
class Typist:
    """Types blocks of files in a folder that looks like a project."""

    folder: Path
    rhythm: Rhythm
    seed: int
    keys: int | None = None

    async def open(self, assistant: Assistant, file: TypedFile, done: int) -> None:
        """The file with its first `done` blocks, and the files beside it, the file itself last."""
        await assistant.close_all()
        for name, text in file.others:
            await assistant.open(self._written(file, name, text), text, file.language)
        text = file.without(done)
        await assistant.open(self._written(file, file.name, text), text, file.language)

    async def type_block(
        self, assistant: Assistant, file: TypedFile, number: int
    ) -> "list[Position]":
        """Type block `number`; the blocks before it are in the file, those after it are not."""
        block = file.blocks[number]
        text = file.without(number)
        uri = self._written(file, file.name, text)
        before = "\n".join(text.split("\n")[: block.first])
        strokes = list(
            self.rhythm.strokes(block.lines, f"{self.seed} {file.name} {number}", self.keys)
        )
        positions, typed = [], 0
        due, read = time.perf_counter(), assistant.tokens_read()
        for stroke in strokes:
            pressed = time.perf_counter()
            due = max(due, pressed - 0.01) + stroke.seconds
            typed = self._press(assistant, stroke, uri, len(before), typed)
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            if stroke.kind is not Kind.JUMP:
                position = _recorded(assistant, file, number, stroke, typed, pressed)
                known, read = read or 0, assistant.tokens_read()
                tokens = None if read is None else read - known
                positions.append(replace(position, tokens_read=tokens))
        return positions

    def _press(
        self, assistant: Assistant, stroke: Stroke, uri: str, offset: int, typed: int
    ) -> int:
        """Press one key; how many characters of the line are written then."""
        if stroke.kind is Kind.JUMP:
            assistant.jump(uri, offset)
            return 0
        if stroke.kind is Kind.ERASE:
            assistant.erase()
            return typed - 1
        assistant.insert(stroke.text)
        return 0 if stroke.kind is Kind.ENTER else typed + len(stroke.text)

    def _written(self, file: TypedFile, name: str, text: str) -> str:
        """The address of a file, which is written where it is missing."""
        root = self.folder / file.language
        (root / ".git").mkdir(parents=True, exist_ok=True)
        path = root / name
        if not path.exists():
            path.write_bytes(to_bytes(text))
        return path.as_uri()


def _recorded(
    assistant: Assistant, file: TypedFile, number: int, stroke: Stroke, typed: int, pressed: float
) -> Position:
    states = [
        (round(max(0.0, state.at - pressed) * 1000, 1), state.text, str(state.cause))
        for state in assistant.screen.states
    ]
    truth = "" if stroke.kind is Kind.SLIP else rest_of(file, number, stroke.line, typed)
    seconds = round(time.perf_counter() - pressed, 4)
    return Position(
        assistant.name, file.language, file.name, number, stroke.line, typed, str(stroke.kind),
        seconds, truth, states,
    )  # fmt: skip


def rest_of(file: TypedFile, number: int, line: int, typed: int) -> str:
    """The part of a block that is still to be typed, after `typed` characters of one of its
    lines.
    """
    lines = file.blocks[number].lines[line:]
    return "\n".join([lines[0].lstrip(" \t")[typed:], *lines[1:]])
