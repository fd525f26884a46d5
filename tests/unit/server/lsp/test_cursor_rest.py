"""What is prefilled where a cursor rests, and where nothing is."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.documents import Document
from midline.server.lsp.features.cursor import cursor
from midline.server.lsp.server import MidlineServer
from midline.server.lsp.settings import Settings
from midline.server.lsp.suggestions import suggestions

URI = "untitled:a.py"
TEXT = "def f(a):\n    return a\n" + "\n\nvalues = [f(n) for n in range(9)]\n" * 40
OFFSET = TEXT.index("\n")


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("rest") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


class Desk:
    """A server without a client, at whose document a cursor rests."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.runner = asyncio.Runner()
        self.server = MidlineServer()
        self.engine = FakeEngine(tokenizer, lambda prompt: "pass")
        self.server.session.use(Settings(write_ahead=False))
        self.server.engine.load(lambda: self.engine).result(10)
        self.server.load_settled.set()
        self.server.session.open(Document(URI, TEXT, "python", 1))

    def rest(self, params: Any = None) -> int:
        """How many tokens the engine knows of prompts after a cursor came to rest."""
        place = {"line": 0, "character": OFFSET}
        cursor(self.server, params or {"textDocument": {"uri": URI}, "position": place})
        if self.server.reading is not None:
            self.server.reading.result(10)
        return max(map(len, self.engine.known), default=0)

    def type(self, text: str) -> int:
        """Type at the cursor and ask; how many prompt tokens were computed for the answer."""

        async def asked() -> Any:
            session = self.server.session
            typed = session.documents[URI].edited(OFFSET, OFFSET, text, 2)
            session.edit(typed)
            snapshot = session.snapshot(typed, OFFSET + len(text))
            return await suggestions(self.server, snapshot, automatic=True)

        result = self.runner.run(asked()).result
        return result.prompt_tokens - result.cached_tokens

    def close(self) -> None:
        self.server.engine.close(10)
        self.runner.close()


@pytest.fixture
def desk(tokenizer: Tokenizer) -> Iterator[Desk]:
    made = Desk(tokenizer)
    yield made
    made.close()


def test_a_key_where_the_cursor_rested_finds_its_prompt(desk: Desk) -> None:
    assert desk.type("\n    ") > 64
    other = Desk(desk.engine.tokenizer)
    assert other.rest() > 64
    assert other.type("\n    ") < 16
    other.close()


def test_nothing_is_prepared_where_nothing_would_be_offered(desk: Desk) -> None:
    desk.server.session.use(Settings(only_by_hand=True))
    assert desk.rest() == 0
    desk.server.session.use(Settings(disabled_languages=("python",)))
    assert desk.rest() == 0


def test_a_cursor_that_types_does_not_rest(desk: Desk) -> None:
    desk.type("\n    ")
    reads = desk.engine.reads
    at = {"line": 1, "character": 4}
    desk.server.reading = None
    cursor(desk.server, {"textDocument": {"uri": URI}, "position": at})
    assert desk.server.reading is None and desk.engine.reads == reads


@pytest.mark.parametrize(
    "params",
    [
        None,
        {},
        {"textDocument": None, "position": 3},
        {"textDocument": {"uri": URI}, "position": {"line": -1, "character": 0}},
        {"textDocument": {"uri": URI}, "position": {"line": "1", "character": True}},
        {"textDocument": {"uri": "untitled:b.py"}, "position": {"line": 0, "character": 0}},
    ],
)
def test_what_makes_no_sense_is_ignored(desk: Desk, params: Any) -> None:
    cursor(desk.server, params)
    assert desk.server.reading is None
