"""From a request to its answer, inside the server: what is computed, what is not, what breaks."""

import asyncio
import random
import time
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

LINE = "value = self.items[0]\n"
PIECES = [
    *(
        "\n",
        "\r\n",
        "\r",
        "\t",
        "    ",
        "x = f(",
        "é",
        "e\u0301",
        "😀",
        "👩‍👩‍👧",
        "\ud83d",
        "\udce9",
    ),
    *("\0", "\x0c", "\u2028", "\ufeff", "<|fim_middle|>", "你好", '"', "{", "}", "// ", "word"),
]


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("suggestions") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


class Desk:
    """A server with an engine whose text is known, without a client."""

    def __init__(self, tokenizer: Tokenizer, answer: str, **settings: int) -> None:
        self.runner = asyncio.Runner()
        self.server = MidlineServer()
        self.engine = FakeEngine(tokenizer, lambda prompt: answer)
        self.server.session.use(Settings(**{"write_ahead": False, **settings}))
        self.server.engine.load(lambda: self.engine).result(10)  # type: ignore[arg-type, return-value]
        self.server.load_settled.set()
        self.told: list[str] = []
        self.server.tell = lambda sentence, *_: self.told.append(sentence)  # type: ignore[method-assign]

    def ask(self, text: str, offset: int, uri: str = "untitled:a.py", **how: Any) -> Answer:
        """The answer at a place of a document, and all that is read ahead after it."""

        async def asked() -> Answer:
            session = self.server.session
            session.edit(Document(uri, text, "python"))
            snapshot = session.snapshot(session.documents[uri], offset)
            return await suggestions(self.server, snapshot, automatic=True, **how)

        answer = self.runner.run(asked())
        self.runner.run(self.settled(uri))
        return answer

    async def settled(self, uri: str) -> None:
        """Until the document's completion is written and all that is wanted is read."""
        live = self.server.session.live.get(uri)
        while live is not None and not live.is_finished:
            await live.news(1)
        if self.server.reading is not None:
            self.server.reading.result(10)

    def texts(self, text: str, offset: int, **how: Any) -> list[str]:
        return [suggestion.text for suggestion in self.ask(text, offset, **how).suggestions]


@pytest.fixture
def desks(tokenizer: Tokenizer) -> Iterator[Any]:
    made: list[Desk] = []

    def make(answer: str, **settings: int) -> Desk:
        made.append(Desk(tokenizer, answer, **settings))
        return made[-1]

    yield make
    for desk in made:
        desk.server.engine.close(5)
        desk.runner.close()


def test_what_is_typed_along_costs_nothing(desks: Any) -> None:
    desk = desks("call(value)")
    first = desk.ask("x = \n", 4)
    assert [suggestion.text for suggestion in first.suggestions] == ["call(value)"]
    assert first.result is not None
    after = desk.ask("x = ca\n", 6)
    assert [suggestion.text for suggestion in after.suggestions] == ["ll(value)"]
    assert after.is_typed_ahead
    assert after.result is None
    assert len(desk.engine.asked) == 1
    assert desk.ask("x = cb\n", 6).result is not None
    assert desk.ask("x = cb\n", 6, anew=True).result is not None
    assert len(desk.engine.asked) == 3


def test_other_settings_are_asked_anew(desks: Any) -> None:
    desk = desks("call(value)")
    desk.ask("x = \n", 4)
    desk.server.session.use(Settings(max_tokens=2))
    assert not desk.ask("x = c\n", 5).is_typed_ahead


def test_an_answer_under_way_while_settings_change_is_not_typed_along(desks: Any) -> None:
    desk = desks("call(value)")

    def answer(prompt: str) -> str:
        desk.server.session.use(Settings(max_tokens=2))
        return "call(value)"

    desk.engine.answer = answer
    assert desk.texts("x = \n", 4) == []
    desk.engine.answer = lambda prompt: "call(value)"
    assert not desk.ask("x = c\n", 5).is_typed_ahead
    assert desk.ask("x = c\n", 5).is_typed_ahead


def test_what_there_was_no_time_for_is_read_after_the_answer(desks: Any) -> None:
    desk = desks("1", first_answer_milliseconds=1000)
    desk.server.planner.speed.tokens_per_second = 300
    text = LINE * 200
    first = desk.ask(text + "x = \n" + text, len(text) + 4)
    assert first.plan is not None and not first.plan.is_whole
    assert desk.engine.cached_tokens(first.plan.wanted.prompt.ids) > 1000
    second = desk.ask(text + "x = y\n" + text, len(text) + 5)
    assert second.plan is not None and second.plan.is_whole
    assert second.result is not None
    assert second.result.prompt_tokens - second.result.cached_tokens <= 3


def test_a_line_begun_by_typing_along_is_read_meanwhile(desks: Any) -> None:
    desk = desks("f(a)\n    g(a)\n")
    desk.server.planner.speed.tokens_per_second = 100_000
    text = LINE * 200
    before = "def h(a):\n    "
    assert desk.texts(text + before + "\n" + text, len(text + before)) == ["f(a)\n    g(a)"]
    typed = before + "f(a)\n    "
    along = desk.ask(text + typed + "\n" + text, len(text + typed))
    assert along.is_typed_ahead
    other = desk.ask(text + typed + "x\n" + text, len(text + typed) + 1)
    assert other.result is not None
    typed_tokens = len(desk.engine.tokenizer.encode("f(a)\n    x"))
    assert other.result.prompt_tokens - other.result.cached_tokens <= typed_tokens


def test_after_the_patience_whole_lines_are_shown_and_the_rest_when_it_is_there(
    desks: Any,
) -> None:
    text, place = "def h(a):\n    \n", 14
    desk = desks("f(a)\n    g(a)\n    h(a)\n", answer_milliseconds=0)
    desk.engine.seconds = 0.01
    assert desk.texts(text, place) == ["f(a)"]
    assert desk.texts("def h(a):\n    f\n", 15) == ["(a)\n    g(a)\n    h(a)"]
    assert len(desk.engine.asked) == 1
    patient = desks("f(a)\n    g(a)\n    h(a)\n", answer_milliseconds=60_000)
    assert len(patient.texts(text, place)[0].splitlines()) == 3


def test_a_key_that_agrees_goes_on_with_what_is_being_written(desks: Any) -> None:
    """Keys come faster than tokens; nothing is given up, and the last key gets the answer."""
    desk = desks("first(argument, other)\n")
    desk.engine.seconds = 0.02

    async def type_along() -> list[list[str]]:
        session, found = desk.server.session, []
        tasks = []
        for typed in ("", "f", "fi", "fir", "firs", "first"):
            session.edit(Document("untitled:a.py", f"x = {typed}\n", "python"))
            snapshot = session.snapshot(session.documents["untitled:a.py"], 4 + len(typed))
            tasks.append(asyncio.create_task(suggestions(desk.server, snapshot, automatic=True)))
            await asyncio.sleep(0.005)
        for task in tasks:
            found.append([suggestion.text for suggestion in (await task).suggestions])
        return found

    found = desk.runner.run(type_along())
    assert found == [[]] * 5 + [["(argument, other)"]]
    assert len(desk.engine.asked) == 1
    assert desk.engine.given_up == 0


def test_a_key_that_disagrees_starts_anew_at_once(desks: Any) -> None:
    desk = desks("first(argument, other, a, b, c, d, e, f, g, h, i, j, k)\n")
    desk.engine.seconds = 0.05

    async def type_other() -> list[str]:
        session = desk.server.session
        session.edit(Document("untitled:a.py", "x = \n", "python"))
        snapshot = session.snapshot(session.documents["untitled:a.py"], 4)
        first = asyncio.create_task(suggestions(desk.server, snapshot, automatic=True))
        await asyncio.sleep(0.12)
        desk.engine.answer = lambda prompt: "()"
        session.edit(Document("untitled:a.py", "x = q\n", "python"))
        snapshot = session.snapshot(session.documents["untitled:a.py"], 5)
        answer = await suggestions(desk.server, snapshot, automatic=True)
        assert (await first).suggestions == []
        return [suggestion.text for suggestion in answer.suggestions]

    assert desk.runner.run(type_other()) == ["()"]
    assert desk.engine.given_up == 1
    assert len(desk.engine.asked) == 2


def test_by_hand_there_may_be_more(desks: Any) -> None:
    desk = desks("call(value)")
    desk.ask("x = \n", 4)
    desk.ask("x = \n", 4, anew=True)
    typing, by_hand = (options.max_tokens for options in desk.engine.options)
    assert 64 <= typing < 80 < 256 <= by_hand < 272  # and what was backed up


@pytest.mark.parametrize("by_hand", [True, False])
def test_a_request_by_hand_that_is_cancelled_stops_computing(desks: Any, by_hand: bool) -> None:
    """One that a key has made goes on: the next key will want what it writes."""
    desk = desks("first(argument, other, a, b, c, d, e, f, g, h, i, j, k)\n")
    desk.engine.seconds = 0.02

    async def cancel() -> None:
        session = desk.server.session
        session.edit(Document("untitled:a.py", "x = \n", "python"))
        snapshot = session.snapshot(session.documents["untitled:a.py"], 4)
        asked = suggestions(desk.server, snapshot, automatic=not by_hand, anew=by_hand)
        task = asyncio.create_task(asked)
        while desk.engine.written < 2:
            await asyncio.sleep(0.005)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await desk.settled("untitled:a.py")
        while desk.server.engine._running:
            await asyncio.sleep(0.005)

    desk.runner.run(cancel())
    assert (desk.engine.given_up > 0) is by_hand
    assert desk.texts("x = \n", 4)[0].startswith("first(argument")
    assert len(desk.engine.asked) == 1 + by_hand


def test_several_are_drawn_for_who_asks_by_hand(desks: Any) -> None:
    desk = desks("one|two|three|four")
    assert desk.texts("x = \n", 4) == ["one"]
    assert sorted(desk.texts("x = \n", 4, anew=True)) == ["four", "one", "three", "two"]
    typed, asked = desk.engine.options
    assert (typed.samples, typed.temperature) == (1, 0.0)
    assert asked.samples == 4 and asked.temperature > 0 and asked.greedy_first
    likeliest = desks("one|two", temperature=0)
    assert likeliest.texts("x = \n", 4, anew=True) == ["one"]
    many = desks("one|two|three", samples=3, temperature=0.7)
    assert len(many.texts("x = \n", 4)) == 3
    assert not many.engine.options[-1].greedy_first


def test_a_failure_is_one_sentence_and_no_answer(desks: Any) -> None:
    desk = desks("1")
    desk.engine.answer = lambda prompt: 1 / 0  # type: ignore[assignment]
    assert desk.ask("x = \n", 4) == Answer([])
    assert len(desk.told) == 1
    desk.engine.answer = lambda prompt: "1"
    assert desk.texts("x = \n", 4) == ["1"]


@pytest.mark.parametrize("seed", range(6))
def test_any_text_at_any_place_gets_an_answer(desks: Any, seed: int) -> None:
    """Bytes that are not UTF-8, halves of characters, mixed line ends, in the file and others."""
    dice = random.Random(seed)
    desk = desks("f(1)")
    for number in range(8):
        text = "".join(dice.choices(PIECES, k=dice.randint(0, 60)))
        for uri in ("untitled:a.py", "untitled:b.cpp", "untitled:c"):
            desk.ask(text, dice.randint(0, len(text)), f"{uri}{number % 2}")
    assert desk.told == []


def test_a_line_of_two_megabytes_is_answered_and_typed_on(desks: Any) -> None:
    desk = desks("1, 2, 3")
    text = "x = [" + "1, 'é', " * 260_000
    at = len(text) // 2
    began = time.monotonic()
    shown = desk.ask(text, at, "untitled:big.json")
    assert shown.result is not None
    assert shown.result.prompt_tokens < 3000
    for typed in range(1, 4):
        written = text[:at] + "9" * typed + text[at:]
        answer = desk.ask(written, at + typed, "untitled:big.json")
        assert answer.result is not None
        assert answer.result.prompt_tokens - answer.result.cached_tokens <= 3
    assert time.monotonic() - began < 60  # seconds for a scan at every key, minutes for worse
    assert desk.told == []
