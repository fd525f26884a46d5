"""What a live completion has to bear: pastes, undo, formatters, many cursors, clocks."""

import asyncio
import random
from collections.abc import Iterator
from typing import Any

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.documents import Document
from midline.server.lsp.server import MidlineServer
from midline.server.lsp.settings import Settings
from midline.server.lsp.suggestions import Answer, suggestions
from midline.server.lsp.typing_rhythm import PAUSE_SECONDS, START_SECONDS, TypingRhythm

TEXT = "def total(items):\n    value = 0\n    \n    return value\n"
AT = TEXT.index("    \n") + 4
LINE = "for item in items:\n        value += item\n"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("rough") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


class Typist:
    """Edits one document after the other and asks after each edit; nobody waits."""

    def __init__(self, server: MidlineServer) -> None:
        self.server = server
        self.asked: list[asyncio.Task[Answer]] = []

    async def edit(self, text: str, offset: int, uri: str = "untitled:a.py") -> None:
        session = self.server.session
        version = (session.documents[uri].version or 0) + 1 if uri in session.documents else 1
        session.edit(Document(uri, text, "python", version))
        snapshot = session.snapshot(session.documents[uri], offset)
        self.asked.append(asyncio.create_task(suggestions(self.server, snapshot, automatic=True)))
        await asyncio.sleep(0)

    async def answers(self) -> list[list[str]]:
        return [[found.text for found in (await task).suggestions] for task in self.asked]


@pytest.fixture
def server(tokenizer: Tokenizer) -> Iterator[MidlineServer]:
    made = MidlineServer()
    engine: Any = FakeEngine(tokenizer, lambda prompt: LINE, seconds=0.001)
    made.session.use(Settings(answer_milliseconds=60_000))
    made.engine.load(lambda: engine).result(10)
    made.load_settled.set()
    told: list[str] = []
    made.tell = lambda sentence, *_: told.append(sentence)  # type: ignore[method-assign]
    yield made
    made.engine.close(5)
    assert told == []


def run(server: MidlineServer, how: Any) -> list[list[str]]:
    async def typed() -> list[list[str]]:
        typist = Typist(server)
        await how(typist)
        return await typist.answers()

    return asyncio.run(typed())


def _asked(server: MidlineServer) -> list[str]:
    """Every prompt the engine has begun."""
    return server.engine.thread.engine.asked  # type: ignore[union-attr]


def test_a_paste_of_5000_lines(server: MidlineServer) -> None:
    async def paste(typist: Typist) -> None:
        await typist.edit(TEXT, AT)
        pasted = "    value += 1\n" * 5000
        await typist.edit(TEXT[:AT] + pasted + "    " + TEXT[AT:], AT + len(pasted) + 4)

    assert run(server, paste)[-1] == [LINE.rstrip()]


def test_undo_and_redo_in_bursts(server: MidlineServer) -> None:
    """Every state is one the completion agrees with or not; the last one has its answer."""

    async def undo(typist: Typist) -> None:
        for _ in range(10):
            for typed in ("", "f", "fo", "for", "fo", "x", "fo", ""):
                await typist.edit(TEXT[:AT] + typed + TEXT[AT:], AT + len(typed))

    found = run(server, undo)
    assert found[-1] == [LINE.rstrip()]
    assert all(answer == [] for answer in found[:-1])


def test_a_formatter_that_rewrites_the_file(server: MidlineServer) -> None:
    async def save(typist: Typist) -> None:
        await typist.edit(TEXT[:AT] + "f" + TEXT[AT:], AT + 1)
        formatted = TEXT.replace("    ", "  ")
        at = formatted.index("  \n") + 2
        await typist.edit(formatted[:at] + "f" + formatted[at:], at + 1)

    assert run(server, save)[0] == []
    assert "\n  return value" in _asked(server)[-1]


def test_many_cursors_type_at_once(server: MidlineServer) -> None:
    """The other cursors' text is an edit elsewhere, so that nothing old is shown."""

    async def type_twice(typist: Typist) -> None:
        await typist.edit(TEXT, AT)
        both = TEXT[:AT] + "f" + TEXT[AT:]
        await typist.edit(both.replace("return value", "return valuef"), AT + 1)

    assert run(server, type_twice)[0] == []
    assert "valuef" in _asked(server)[-1]


def test_two_documents_typed_in_turn(server: MidlineServer) -> None:
    async def type_in_turn(typist: Typist) -> None:
        for end in range(6):
            for uri in ("untitled:a.py", "untitled:b.py"):
                await typist.edit(TEXT[:AT] + LINE[:end] + TEXT[AT:], AT + end, uri)

    found = run(server, type_in_turn)
    assert found[-2:] == [[LINE.rstrip()[5:]]] * 2


def test_a_machine_that_becomes_busy(server: MidlineServer) -> None:
    """Tokens take thirty times as long from the second key on: nothing is begun again for it."""

    async def type_slowly(typist: Typist) -> None:
        for end in range(6):
            await typist.edit(TEXT[:AT] + LINE[:end] + TEXT[AT:], AT + end)
            await asyncio.sleep(0.005)
            server.engine.thread.engine.seconds = 0.03  # type: ignore[union-attr]

    found = run(server, type_slowly)
    assert found[-1] == [LINE.rstrip()[5:]]
    assert all(answer == [] for answer in found[:-1])
    assert len([prompt for prompt in _asked(server) if prompt.endswith("    ")]) <= 1


@pytest.mark.parametrize("seed", range(5))
def test_any_edits_leave_the_last_request_an_answer(server: MidlineServer, seed: int) -> None:
    dice = random.Random(seed)

    async def edit(typist: Typist) -> None:
        text = TEXT
        for _ in range(60):
            begin = dice.randint(0, len(text))
            end = min(len(text), begin + dice.choice((0, 0, 0, 1, 5)))
            new = dice.choice(("f", "or", "\n", "é", "  ", "x)", LINE))
            text = text[:begin] + new + text[end:]
            await typist.edit(text, begin + len(new))
            if dice.random() < 0.1:
                await asyncio.sleep(0.01)

    found = run(server, edit)
    assert len(found) == 60


def test_a_clock_that_jumps_does_not_change_the_rhythm() -> None:
    rhythm = TypingRhythm()
    assert rhythm.interval == pytest.approx(START_SECONDS)
    for now in (100.0, 50.0, 50.0, 5000.0, 5000.0 + 2 * PAUSE_SECONDS):
        rhythm.key(now)
    assert rhythm.interval == pytest.approx(START_SECONDS)


@pytest.mark.parametrize("interval", [0.05, 0.12, 0.3, 0.6])
def test_the_rhythm_follows_the_typist(interval: float) -> None:
    rhythm = TypingRhythm()
    for number in range(100):
        rhythm.key(1000 + number * interval)
    assert rhythm.interval == pytest.approx(interval, rel=0.01)
    assert 0.1 <= rhythm.patience <= 0.35
