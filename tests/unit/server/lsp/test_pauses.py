"""Two models: one answers while keys come, the other one where typing pauses."""

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fake_engine import FakeEngine
from lsprotocol import types
from tiny_model import QWEN2, write_tiny_model

from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.documents import Document
from midline.server.lsp.features.inline_completion import inline_completion
from midline.server.lsp.prompt_window import ReadingSpeed
from midline.server.lsp.renewal import Asked
from midline.server.lsp.server import MidlineServer
from midline.server.lsp.settings import Settings

URI = "untitled:a.py"
LIKELY, UNLIKELY = -0.001, -0.3
"""Log-probabilities of a token: one is shown, the other as well, but it is replaced."""


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("pauses") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


class Server(MidlineServer):
    """A server with two engines whose texts are known; `told` has what a client would be told."""

    def __init__(self, first: Any, second: Any, **settings: Any) -> None:
        super().__init__()
        self.told: list[Asked] = []
        self.session.use(Settings(**{"pause_model": "large", **settings}))
        self.engine.load(lambda: first).result(10)
        if second is not None:
            speed = ReadingSpeed()
            speed.tokens_per_second = 10_000
            self.engine.thread.pause.keep(second, speed)
        self.load_settled.set()

    def renewed(self, asked: Asked) -> None:
        self.told.append(asked)

    async def ask(self, text: str, version: int = 1) -> list[str]:
        """The answer at the end of a document's text, which is edited to be so, but for a line
        end."""
        self.session.edit(Document(URI, text + "\n", "python", version))
        return await self.ask_again(text)

    async def ask_again(self, text: str) -> list[str]:
        how = types.InlineCompletionContext(types.InlineCompletionTriggerKind.Automatic)
        here = types.Position(text.count("\n"), len(text.rpartition("\n")[2]))
        params = types.InlineCompletionParams(how, types.TextDocumentIdentifier(URI), here)
        found = await inline_completion(self, params)
        return [str(item.insert_text) for item in found.items]

    async def until(self, holds: Callable[[], bool]) -> None:
        for _ in range(1000):
            if holds():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("it never came to that")

    async def settled(self) -> None:
        """Until nothing waits and nothing runs."""
        await self.until(lambda: self.pauses._task is None or self.pauses._task.done())
        await self.until(lambda: self.reading is None or self.reading.done())


Make = Callable[..., Any]


@pytest.fixture
def engine(tokenizer: Tokenizer) -> Make:
    return lambda text, conditional=LIKELY, seconds=0.0: FakeEngine(
        tokenizer, lambda prompt: text, seconds, conditional=conditional
    )


@pytest.fixture
def serving() -> Iterator[Make]:
    made: list[Server] = []

    def run(check: Callable[[Server], Any], *engines: Any, **settings: Any) -> Server:
        async def main() -> None:
            made.append(Server(*engines, **settings))
            await check(made[-1])
            made[-1].leave()

        asyncio.run(main())
        return made[-1]

    yield run
    for server in made:
        server.engine.close(5)


def test_the_pause_model_fills_in_where_the_first_is_silent(serving: Make, engine: Make) -> None:
    async def check(server: Server) -> None:
        assert await server.ask("x = ") == []
        await server.until(lambda: bool(server.told))
        assert server.told == [Asked(URI, 1, types.Position(0, 4))]
        assert await server.ask_again("x = ") == ["call(value)"]
        await server.settled()
        assert len(server.told) == 1, "what is shown is not written once more"

    large = engine("call(value)")
    serving(check, engine("oh(no)", -5.0), large)
    assert len(large.asked) == 1


def test_keys_along_the_new_text_cost_nothing(serving: Make, engine: Make) -> None:
    small, large = engine("oh(no)", -5.0), engine("call(value)")

    async def check(server: Server) -> None:
        await server.ask("x = ")
        await server.until(lambda: bool(server.told))
        await server.ask_again("x = ")
        await server.settled()
        before = len(small.asked), len(large.asked)
        assert await server.ask("x = c", 2) == ["all(value)"]
        assert await server.ask("x = ca", 3) == ["ll(value)"]
        assert (len(small.asked), len(large.asked)) == before

    serving(check, small, large, write_ahead=False)


@pytest.mark.parametrize(
    ("first", "second", "shown"),
    [
        (("f(a)", UNLIKELY), ("g(b)", LIKELY), ["g(b)"]),
        (("f(a)", LIKELY), ("g(b)", LIKELY), None),
        (("f(a)", UNLIKELY), ("g(b)", UNLIKELY), None),
        (("f(a)", UNLIKELY), ("f(a)", LIKELY), None),
        (("f(a)", UNLIKELY), ("g(b)", -5.0), None),
        (("f(a)", UNLIKELY), ("", LIKELY), None),
    ],
)
def test_the_surer_text_is_on_the_screen(
    serving: Make, engine: Make, first: Any, second: Any, shown: list[str] | None
) -> None:
    async def check(server: Server) -> None:
        assert await server.ask("x = ") == ["f(a)"]
        await server.settled()
        assert bool(server.told) is (shown is not None)
        assert await server.ask_again("x = ") == (shown or ["f(a)"])

    serving(check, engine(*first), engine(*second))


def test_a_sure_text_is_not_doubted(serving: Make, engine: Make) -> None:
    async def check(server: Server) -> None:
        await server.ask("x = ")
        await server.settled()

    large = engine("g(b)")
    serving(check, engine("f(a)", -0.0001), large)
    assert large.asked == []


def test_a_key_breaks_the_pause_model_off(serving: Make, engine: Make) -> None:
    small, large = engine("oh(no)", -5.0), engine("call(a, b, c, d, e, f)", seconds=0.05)

    async def check(server: Server) -> None:
        await server.ask("x = ")
        await server.until(lambda: bool(large.asked))
        small.answer, small.conditional = (lambda prompt: "f(a)"), LIKELY
        assert await server.ask("x = y", 2) == ["f(a)"]
        assert large.given_up == 1
        assert server.told == []

    serving(check, small, large)


def test_a_key_before_the_pause_lets_it_be(serving: Make, engine: Make) -> None:
    large = engine("call(value)")

    async def check(server: Server) -> None:
        server.rhythm.key(float("inf"))  # the pause is a long time off
        await server.ask("x = ")
        await asyncio.sleep(0.05)
        server.pauses.stop()
        await server.settled()

    serving(check, engine("oh(no)", -5.0), large)
    assert large.asked == []


def test_switched_off_in_mid_pause(serving: Make, engine: Make) -> None:
    large = engine("call(a, b, c, d, e, f)", seconds=0.05)

    async def check(server: Server) -> None:
        await server.ask("x = ")
        await server.until(lambda: bool(large.asked))
        server.session.use(Settings())
        server.pauses.stop()
        server.engine.thread.pause.want(None)
        await server.settled()
        assert server.told == [] and not server.pauses.are_wanted
        await server.ask("x = y", 2)
        await server.settled()

    serving(check, engine("oh(no)", -5.0), large)
    assert len(large.asked) == 1 and large.given_up == 1


def test_without_the_second_engine_the_first_completes_alone(serving: Make, engine: Make) -> None:
    async def check(server: Server) -> None:
        assert await server.ask("x = ") == ["f(a)"]
        await server.settled()
        assert await server.ask("x = f", 2) == ["(a)"]
        assert server.told == []

    serving(check, engine("f(a)", UNLIKELY), None)


def test_a_place_where_nothing_is_offered_has_no_pause(serving: Make, engine: Make) -> None:
    large = engine("call(value)")

    async def check(server: Server) -> None:
        assert await server.ask('x = "a"') == []
        await server.settled()

    serving(check, engine("34", LIKELY), large)
    assert large.asked == []


def test_what_grew_behind_the_answer_is_told_with_one_model_too(
    serving: Make, engine: Make
) -> None:
    small = engine("f(a)\n    g(b)\n    h(c)\n", seconds=0.03)

    async def check(server: Server) -> None:
        first = await server.ask("def f(a):\n    ")
        await server.settled()
        assert len(server.told) == 1
        (whole,) = await server.ask_again("def f(a):\n    ")
        assert first and whole.startswith(first[0]) and len(whole) > len(first[0])
        await server.settled()
        assert len(server.told) == 1

    serving(check, small, None, pause_model="", answer_milliseconds=0, write_ahead=False)


def test_its_prompt_is_read_between_keys_while_nobody_waits(serving: Make, engine: Make) -> None:
    large = engine("call(value)")

    async def check(server: Server) -> None:
        server.rhythm.key(float("inf"))  # no pause comes
        await server.ask("value = other\n" * 200 + "x = ")
        await server.until(lambda: large.reads > 0)

    serving(check, engine("f(a)", UNLIKELY), large)
    assert large.asked == []
    assert max(map(len, large.known)) > 500
