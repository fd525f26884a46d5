"""What the model has to say at the same positions when it may take its time.

Each position is completed by the library function, with the whole window and dense weights. What
an answer that is typed along has left is the answer at the next key, as for everybody else. Answers
are kept in a file by everything that they depend on, the rules that end and trim them included.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

from midline.benchmarks.quality.answers import Answers, completion_rules, question
from midline.benchmarks.quality.typing.files import TypedFile
from midline.benchmarks.quality.typing.scores import TYPED, blocks
from midline.benchmarks.quality.typing.screen import Cause
from midline.benchmarks.quality.typing.session import Position
from midline.model.completion.complete import complete_many
from midline.model.completion.fim import Cursor, chunk_ids
from midline.model.engines.base import Engine, NativeOptions, SamplingOptions
from midline.server.context.chooser import ContextChooser
from midline.server.documents import Document
from midline.server.lsp.settings import Settings

NAME = "oracle"
BATCH = 6
CACHE_TOKENS = 48 << 10


@dataclass
class _Block:
    """Positions of a block that are answered in order; `left` is what the last answer has left."""

    positions: list[Position]
    file: TypedFile
    folder: Path
    at: int = 0
    left: str = ""

    def cursor(self, chooser: ContextChooser, engine: Engine, settings: Settings) -> Cursor:
        """The cursor of the current position, with parts of the other files."""
        position = self.positions[self.at]
        document, offset = self._document(position)
        limits = settings.limits()
        context = chooser.choose(
            document,
            offset,
            self.others,
            limits.context_tokens,
            lambda chunk: len(chunk_ids(engine.tokenizer, chunk)),
        )
        cursor = document.cursor(offset, limits)
        return replace(cursor, context=context.chunks, project=context.project)

    @cached_property
    def others(self) -> tuple[Document, ...]:
        """The other files that are open."""
        language = self.file.language
        return tuple(Document(self._uri(name), text, language) for name, text in self.file.others)

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
        return (self.folder / self.file.language / name).as_uri()

    def answered(self, text: str) -> Position:
        """The current position with its answer; the next one is the current one then."""
        position = self.positions[self.at]
        self.at += 1
        self.left = ""
        if self.at < len(self.positions):
            truth, following = position.truth, self.positions[self.at].truth
            typed = truth[: len(truth) - len(following)]
            self.left = text.removeprefix(typed) if text.startswith(typed) else ""
        states = [(0.0, "", str(Cause.KEY))]
        if text:
            states.append((0.0, text, str(Cause.APPEARED)))
        return replace(position, engine=NAME, states=states)


def oracle(
    engine: Engine,
    positions: Sequence[Position],
    files: Sequence[TypedFile],
    folder: Path,
    answers: Answers,
) -> list[Position]:
    """The positions with the answers that a request without a time limit gets.

    `folder` is where the files were typed: its path tells what the project is called.
    """
    by_name = {(file.language, file.name): file for file in files}
    asked = [position for position in positions if position.kind in TYPED]
    waiting = [_Block(b, by_name[b[0].language, b[0].file], folder) for b in blocks(asked)]
    found: list[Position] = []
    chooser, settings = ContextChooser(), Settings()
    while waiting:
        print(f"\roracle: {len(found)} of {len(asked)}", end="", file=sys.stderr, flush=True)
        batch = waiting[:BATCH]
        found += _step(engine, batch, chooser, settings, answers)
        waiting = [block for block in waiting if block.at < len(block.positions)]
    print(file=sys.stderr)
    order = {position.place: number for number, position in enumerate(asked)}
    return sorted(found, key=lambda position: order[position.place])


def _step(
    engine: Engine,
    batch: Sequence[_Block],
    chooser: ContextChooser,
    settings: Settings,
    answers: Answers,
) -> Iterator[Position]:
    """Answer the current position of each block, and those that the answers reach."""
    cursors = [block.cursor(chooser, engine, settings) for block in batch]
    options = SamplingOptions(max_tokens=settings.max_tokens, engine=NativeOptions(sparsity=0.0))
    keys = [_key(engine, cursor, settings) for cursor in cursors]
    missing = [number for number, key in enumerate(keys) if answers.get(key) is None]
    if missing:
        chosen = [cursors[number] for number in missing]
        results = complete_many(engine, chosen, options, limits=settings.limits(), insist=False)
        for number, result in zip(missing, results, strict=True):
            shown = result.suggestions[0].text if result.suggestions else ""
            answers.add(keys[number], shown)
    for block, key in zip(batch, keys, strict=True):
        yield block.answered(answers.get(key) or "")
        while block.left and block.at < len(block.positions):
            yield block.answered(block.left)


def _key(engine: Engine, cursor: Cursor, settings: Settings) -> str:
    context = [(chunk.name, chunk.text) for chunk in cursor.context]
    return question(
        engine.name, completion_rules(), settings.limits(), settings.max_tokens, cursor.name,
        cursor.project, context, cursor.before, cursor.after,
    )  # fmt: skip
