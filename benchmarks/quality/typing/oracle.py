"""Completions of the model at the same positions without a time limit.

Each block is typed once more at the server's own completion code, in this process: the same window,
the same anchor, the same text typed along. Every request waits until its completion is finished and
the wanted window is prefilled, however long that takes. It is typed twice: the `oracle` shows every
completion in full, `gated` only the part that is probable enough to be shown (`confidence.py`).
Completions are kept in a file by everything that they depend on, the rules that end and trim them
included.
"""

import asyncio
import inspect
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from midline.benchmarks.quality.answers import Answers, completion_rules, question
from midline.benchmarks.quality.typing.files import TypedFile
from midline.benchmarks.quality.typing.remembering import RememberingEngine
from midline.benchmarks.quality.typing.scores import TYPED, blocks
from midline.benchmarks.quality.typing.screen import Cause
from midline.benchmarks.quality.typing.session import Position
from midline.model.engines.base import Engine
from midline.server.documents import Document
from midline.server.lsp import live_completion, live_writing
from midline.server.lsp.prompt_window import ReadingSpeed, WindowPlanner
from midline.server.lsp.server import MidlineServer
from midline.server.lsp.settings import Settings
from midline.server.lsp.suggestions import suggestions

NAME, GATED = "oracle", "gated"
CACHE_TOKENS = 48 << 10
_ENDLESS_MILLISECONDS = 3_600_000
_READ_AT_ONCE = 1e6
_LOAD_SECONDS = 60


class _UnboundedSpeed(ReadingSpeed):
    """A prefill speed at which every window is affordable, whatever is measured."""

    START = _READ_AT_ONCE

    def learn(self, tokens: int, seconds: float) -> None:
        """Ignores the measurement."""


class _Desk:
    """The server's completion code at one engine, without a client and without a clock."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.server = MidlineServer()
        self.server.planner = WindowPlanner(_UnboundedSpeed())
        endless = replace(settings, answer_milliseconds=_ENDLESS_MILLISECONDS, write_ahead=False)
        self.server.session.use(endless)
        self.server.engine.load(lambda: engine).result(_LOAD_SECONDS)
        self.server.load_settled.set()

    async def ask(self, document: Document, offset: int, *, gated: bool) -> str:
        """The ghost text at `offset` once nothing more is computed for it."""
        session = self.server.session
        session.edit(document)
        snapshot = session.snapshot(session.documents[document.uri], offset)
        answer = await suggestions(self.server, snapshot, automatic=True, gated=gated)
        if self.server.reading is not None:
            await asyncio.wrap_future(self.server.reading)
        return answer.suggestions[0].text if answer.suggestions else ""

    def close(self) -> None:
        """End the thread; the engine stays."""
        self.server.engine.close(_LOAD_SECONDS)


@dataclass(frozen=True)
class _Block:
    """The positions of a block, and the folder that its file is in."""

    positions: list[Position]
    file: TypedFile
    folder: Path

    async def answers(self, desk: _Desk, *, gated: bool) -> list[Position]:
        """The positions with the answers, asked for in order."""
        session = desk.server.session
        for uri in list(session.documents):
            session.close(uri)
        for name, text in self.file.others:
            session.open(Document(self._uri(name), text, self.file.language))
        found = []
        for position in self.positions:
            text = await desk.ask(*self._document(position), gated=gated)
            found.append(_answered(position, text, GATED if gated else NAME))
        return found

    def _document(self, position: Position) -> tuple[Document, int]:
        """The file as it is at a position, and where the cursor is."""
        number = position.block
        block = self.file.blocks[number]
        lines = self.file.without(number).split("\n")
        whole = "\n".join(block.lines)
        written = whole[: len(whole) - len(position.truth)]
        before = "\n".join([*lines[: block.first], written])
        text = "\n".join([before, *lines[block.first :]])
        return Document(self._uri(self.file.name), text, self.file.language), len(before)

    def _uri(self, name: str) -> str:
        """The address of a file, in a folder that is a project of the language's name."""
        root = self.folder / self.file.language
        (root / ".git").mkdir(parents=True, exist_ok=True)
        return (root / name).as_uri()


def _answered(position: Position, text: str, name: str) -> Position:
    states = [(0.0, "", str(Cause.KEY))]
    if text:
        states.append((0.0, text, str(Cause.APPEARED)))
    return replace(position, engine=name, states=states, tokens_read=None)


def oracle(
    engine: Engine,
    positions: Sequence[Position],
    files: Sequence[TypedFile],
    answers: Answers,
    settings: Settings | None = None,
    *,
    is_kept: bool = True,
) -> list[Position]:
    """The positions with the answers that a request without a time limit gets, in full and as far
    as they are probable enough to be shown. `settings` are those of the server whose positions they
    are. Unless it `is_kept`, `engine` remembers its completions itself.
    """
    by_name = {(file.language, file.name): file for file in files}
    asked = [position for position in positions if position.kind in TYPED]
    rules = question(completion_rules(), *map(inspect.getsource, (live_completion, live_writing)))
    found: list[Position] = []
    with tempfile.TemporaryDirectory(prefix="midline-oracle-") as folder:
        for gated in (False, True):
            remembering = (
                RememberingEngine(engine, answers, f"{rules} {gated}") if is_kept else engine
            )
            for own in blocks(asked):
                total = f"{len(found)} of {2 * len(asked)}"
                print(f"\roracle: {total}", end="", file=sys.stderr, flush=True)
                block = _Block(own, by_name[own[0].language, own[0].file], Path(folder))
                found += asyncio.run(_typed(block, remembering, settings, gated=gated))
    print(file=sys.stderr)
    return found


async def _typed(
    block: _Block, engine: Engine, settings: Settings | None, *, gated: bool
) -> list[Position]:
    desk = _Desk(engine, settings or Settings())
    try:
        return await block.answers(desk, gated=gated)
    finally:
        desk.close()
