"""What is written ahead of the person: which places, when it is adopted, and when it is dropped."""

import asyncio
import random
import time
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.documents import Document
from midline.server.lsp.live_completion import LiveCompletion
from midline.server.lsp.server import MidlineServer
from midline.server.lsp.session import Session
from midline.server.lsp.settings import Settings
from midline.server.lsp.suggestions import Answer, suggestions
from midline.server.lsp.writing_ahead import WritingAhead

URI = "untitled:a.py"
TEXT = "def total(items):\n    value = 0\n    \n    return value\n"
AT = TEXT.index("    \n") + 4


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("ahead") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


def code(before: str) -> str:
    """The text of a place, which no other place has."""
    fragment = before.rpartition("\n")[2]
    line = f"w{zlib.crc32(before.encode()) % 100_000}(1)"
    indentation = fragment[: len(fragment) - len(fragment.lstrip())]
    return line if not fragment.strip() else f" + {line}\n{indentation}{line}\n"


class Placed(FakeEngine):
    """An engine that answers with `code` of the text in front of the cursor."""

    def _answer(self, number: int, request: Any, *rest: Any) -> Any:
        self.answer = lambda prompt: code(_before(prompt + request.align.decode()))
        return super()._answer(number, request, *rest)


def _before(prompt: str) -> str:
    prefix, _, rest = prompt.partition("<|fim_prefix|>")[2].partition("<|fim_suffix|>")
    return prefix + rest.partition("<|fim_middle|>")[2]


class Desk:
    """A server without a client, whose person waits until nothing is left to do."""

    def __init__(self, engine: FakeEngine) -> None:
        self.runner = asyncio.Runner()
        self.server, self.engine = MidlineServer(), engine
        self.server.session.use(Settings())
        self.server.engine.load(lambda: engine).result(10)  # type: ignore[arg-type, return-value]
        self.server.load_settled.set()
        self.told: list[str] = []
        self.server.tell = lambda sentence, *_: self.told.append(sentence)  # type: ignore[method-assign]

    def show(self, text: str, offset: int, uri: str = URI, *, rests: bool = True) -> str:
        """What is shown at a place, and if the person `rests`, all that is written ahead."""

        async def asked() -> Answer:
            session = self.server.session
            session.edit(Document(uri, text, "python"))
            snapshot = session.snapshot(session.documents[uri], offset)
            answer = await suggestions(self.server, snapshot, automatic=True)
            if rests:
                await self.settled(uri)
            return answer

        found = self.runner.run(asked()).suggestions
        return found[0].text if found else ""

    async def settled(self, uri: str) -> None:
        live = self.server.session.live.get(uri)
        while live is not None and not live.is_finished:
            await live.news(1)
        await asyncio.sleep(0)  # what was put off to the event loop
        if self.server.reading is not None:
            await asyncio.wrap_future(self.server.reading)


@pytest.fixture
def desks(tokenizer: Tokenizer) -> Iterator[Any]:
    made: list[Desk] = []

    def make(answer: Any = None, **how: Any) -> Desk:
        kind = FakeEngine if answer else Placed
        made.append(Desk(kind(tokenizer, answer or code, **how)))
        return made[-1]

    yield make
    for desk in made:
        desk.server.engine.close(5)
        desk.runner.close()
        assert desk.told == []


def inserted(text: str, at: int, new: str) -> tuple[str, int]:
    return text[:at] + new + text[at:], at + len(new)


def test_what_follows_an_accepted_offer_is_there_at_once(desks: Any) -> None:
    desk = desks(lambda prompt: "b(2)" if "a(1)" in prompt else "a(1)")
    assert desk.show(TEXT, AT) == "a(1)"
    asked = len(desk.engine.asked)
    assert asked == 3
    text, at = inserted(TEXT, AT, "a(1)\n    ")
    assert desk.show(text, at, rests=False) == "b(2)"
    assert "    a(1)\n" in desk.engine.asked[2]


@pytest.mark.parametrize(
    ("shown", "below"),
    [("if value:", "\n        "), ("value += 1", "\n    "), ("f(value,", "\n    ")],
)
def test_the_line_below_is_where_an_editor_puts_the_cursor(shown: str, below: str) -> None:
    async def check() -> None:
        session, ahead = Session(), WritingAhead()
        snapshot = session.snapshot(Document(URI, TEXT, "python"), AT)
        assert ahead.expect(LiveCompletion(snapshot), snapshot, shown)
        assert not ahead.expect(LiveCompletion(snapshot), snapshot, shown)
        behind, line = (live.snapshot for live in ahead.of(URI))
        assert behind.document.text == inserted(TEXT, AT, shown)[0]
        assert line.document.text[: line.offset] == TEXT[:AT] + shown + below

    asyncio.run(check())


def test_a_key_of_the_offer_keeps_it_and_another_one_drops_it_at_once(desks: Any) -> None:
    desk = desks()
    shown = desk.show(TEXT, AT)
    lives = desk.server.session.ahead.of(URI)
    assert len(lives) == 2
    asked = len(desk.engine.asked)
    for end in range(1, len(shown)):
        text, at = inserted(TEXT, AT, shown[:end])
        assert desk.show(text, at) == shown[end:]
    assert desk.server.session.ahead.of(URI) == lives
    assert len(desk.engine.asked) == asked
    desk.server.session.edit(Document(URI, inserted(TEXT, AT, shown[:3] + "x")[0], "python"))
    assert desk.server.session.ahead.of(URI) == ()


def test_the_engine_is_free_at_once_for_another_document(desks: Any) -> None:
    """What is being written ahead ends within a token, and is never shown."""
    desk = desks(seconds=0.02)
    shown = desk.show(TEXT, AT, rests=False)
    assert shown

    async def begun() -> None:
        for _ in range(500):
            lives = desk.server.session.ahead.of(URI)
            if lives and lives[0].written:
                return
            await asyncio.sleep(0.01)
        raise AssertionError("nothing is written ahead")

    desk.runner.run(begun())
    lives = desk.server.session.ahead.of(URI)
    given_up = desk.engine.given_up
    assert desk.show("x = \n", 4, "untitled:b.py", rests=False)
    assert all(live.stale for live in lives)
    assert desk.engine.given_up == given_up + 1
    text, at = inserted(TEXT, AT, shown)
    assert desk.server.session.ahead.take(Document(URI, text, "python"), at) is None


def test_it_can_be_switched_off(desks: Any) -> None:
    desk = desks()
    desk.server.session.use(Settings(write_ahead=False))
    assert desk.show(TEXT, AT)
    assert len(desk.engine.asked) == 1


@pytest.mark.parametrize("seed", range(8))
def test_only_the_text_of_the_place_is_ever_shown(desks: Any, seed: int) -> None:
    """However a person goes on, with or without waiting, what is shown belongs where it is."""
    dice = random.Random(seed)
    desk = desks(seconds=dice.choice((0.0, 0.002)))
    texts = {URI: (TEXT, AT), "untitled:b.py": (TEXT, AT)}
    uri, shown = URI, ""
    for _ in range(40):
        text, at = texts[uri]
        match dice.choice(("tab", "tab", "along", "along", "enter", "other", "back", "go", "file")):
            case "tab":
                text, at = inserted(text, at, shown)
            case "along":
                text, at = inserted(text, at, shown[:1] or "x")
            case "enter":
                text, at = inserted(text, at, "\n    ")
            case "other":
                text, at = inserted(text, at, "q")
            case "back":
                text, at = text[: at - 1] + text[at:], at - 1
            case "go":
                at = dice.randint(1, len(text))
            case "file":
                uri = "untitled:b.py" if uri == URI else URI
                text, at = texts[uri]
        texts[uri] = text, at = text, max(1, at)
        shown = desk.show(text, at, uri, rests=dice.random() < 0.5)
        assert belongs(shown, text, at)


def belongs(shown: str, text: str, at: int) -> bool:
    """Whether the engine has written `shown` for this place or for one that leads to it."""
    begins = (start for start in range(max(0, at - 100), at + 1))
    return any(words(text[start:at] + shown) in words(code(text[:start])) for start in begins)


def words(text: str) -> str:
    """`text` without white space and closers, which the rules of completion change."""
    return "".join(character for character in text if character.isalnum() or character in "+(")


def test_what_is_shown_ahead_is_what_would_be_computed(desks: Any) -> None:
    ahead, anew = desks(), desks()
    anew.server.session.use(Settings(write_ahead=False))
    text, at = TEXT, AT
    for _ in range(4):
        shown = ahead.show(text, at)
        assert shown == anew.show(text, at)
        text, at = inserted(text, at, shown + "\n    ")


def test_many_offers_leave_nothing_behind(desks: Any) -> None:
    desk = desks()
    began = time.monotonic()
    for number in range(20):
        desk.show(f"x{number} = \n", 4 + len(str(number)), f"untitled:{number}.py")
    for uri in list(desk.server.session.documents):
        desk.server.session.close(uri)
        assert desk.server.session.ahead.of(uri) == ()
    assert time.monotonic() - began < 60
