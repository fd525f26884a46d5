"""A completion across keys: which edits agree with it, and what is left to show."""

import asyncio
from collections.abc import Callable

import pytest

from midline.model.completion.ranking import Suggestion
from midline.server.documents import Document
from midline.server.lsp.live_completion import LiveCompletion
from midline.server.lsp.session import Snapshot
from midline.server.lsp.settings import Settings

BEFORE, AFTER = "def f(a):\n    return ", "\n\nprint(f(1))\n"


def document(typed: str = "", behind: str = "") -> Document:
    return Document("untitled:a.py", BEFORE + typed + behind + AFTER, "python")


def suggestion(text: str) -> Suggestion:
    return Suggestion(text, -1.0, -1.0, 3, "stop")


def live_with(written: str, *offers: str, finished: bool = True) -> LiveCompletion:
    live = LiveCompletion(Snapshot(document(), len(BEFORE), Settings()))
    live.written = written
    live.offers = tuple(map(suggestion, offers))
    live.is_finished = finished
    return live


def in_loop(check: Callable[[], None]) -> None:
    async def run() -> None:
        check()

    asyncio.run(run())


@pytest.mark.parametrize(
    ("typed", "behind", "agrees", "left"),
    [
        ("", "", True, ["a + max(1, 2)"]),
        ("a + ", "", True, ["max(1, 2)"]),
        ("a + max(", ")", True, ["1, 2"]),
        ("a + max(1, 2)", "", True, []),
        ("b", "", False, []),
        ("a + max(", ") + 1", False, []),
        ("a + min", "", False, []),
    ],
)
def test_keys_that_agree_move_along(typed: str, behind: str, agrees: bool, left: list[str]) -> None:
    def check() -> None:
        live = live_with("a + max(1, 2)\n", "a + max(1, 2)")
        there = document(typed, behind)
        assert live.follow(there, len(BEFORE) + len(typed)) is agrees
        assert (live.typed_in(there) is not None) is agrees
        if agrees:
            found = live.left(there, len(BEFORE) + len(typed))
            assert [offer.text for offer in found] == left

    in_loop(check)


def test_keys_may_be_ahead_of_what_is_written() -> None:
    def check() -> None:
        live = live_with("a", finished=False)
        assert live.follow(document("a + b"), len(BEFORE) + 5)
        live.written = "a + bc"
        assert live.agrees(live.typed)
        live.written = "a * bc"
        assert not live.agrees(live.typed)
        live.written, live.is_finished = "a", True
        assert not live.follow(document("a + b"), len(BEFORE) + 5)

    in_loop(check)


def test_a_deletion_goes_back_along_it() -> None:
    def check() -> None:
        live = live_with("a + b", "a + b")
        assert live.follow(document("a + "), len(BEFORE) + 4)
        assert live.follow(document("a"), len(BEFORE) + 1)
        assert [offer.text for offer in live.left(document("a"), len(BEFORE) + 1)] == [" + b"]
        shorter = Document("untitled:a.py", BEFORE[:-1] + AFTER, "python")
        assert not live.follow(shorter, len(BEFORE) - 1)
        assert live.typed_in(shorter) is None

    in_loop(check)


@pytest.mark.parametrize("at", [0, len(BEFORE) - 3, len(BEFORE) + 4])
def test_an_edit_elsewhere_ends_it(at: int) -> None:
    def check() -> None:
        live = live_with("a + b", "a + b")
        text = document("a").text
        there = Document("untitled:a.py", text[:at] + "a" + text[at:], "python")
        assert live.typed_in(there) is None
        assert not live.follow(there, len(BEFORE) + 1)

    in_loop(check)


def test_alternatives_stay_as_long_as_they_agree() -> None:
    def check() -> None:
        live = live_with("one", "one", "only", "two")
        assert live.follow(document("on"), len(BEFORE) + 2)
        found = live.left(document("on"), len(BEFORE) + 2)
        assert [offer.text for offer in found] == ["e", "ly"]

    in_loop(check)


def test_a_block_within_closed_brackets_loses_the_closers_at_its_end() -> None:
    def check() -> None:
        text = "get((a) => {\n  b()\n})"
        live = live_with(text, text)
        there = document("get(", ")")
        assert live.follow(there, len(BEFORE) + 4)
        found = live.left(there, len(BEFORE) + 4)
        assert [offer.text for offer in found] == ["(a) => {\n  b()\n}"]

    in_loop(check)


def test_who_waits_hears_of_news_and_of_the_end() -> None:
    async def run() -> None:
        live = live_with("", finished=False)
        asyncio.get_running_loop().call_later(0.01, live.publish, (suggestion("a"),))
        await live.news(None)
        assert live.offers
        await live.news(0.01)
        assert not live.is_finished
        live.finish()
        await live.news(None)

    asyncio.run(run())


class _Counted(str):
    """A text that counts how often it is cut, as it is to be compared."""

    cuts = 0

    def __getitem__(self, key: object) -> str:
        _Counted.cuts += 1
        return super().__getitem__(key)  # type: ignore[index]


def test_a_version_of_the_document_is_compared_once() -> None:
    def check() -> None:
        live = live_with("a + b", "a + b")
        there = Document("untitled:a.py", _Counted(document("a ").text), "python")
        assert live.typed_in(there) == "a "
        cuts = _Counted.cuts
        assert cuts > 0
        assert live.follow(there, len(BEFORE) + 2) and live.typed_in(there) == "a "
        assert _Counted.cuts == cuts
        assert live.typed_in(Document("untitled:a.py", document("b").text, "python")) is None

    in_loop(check)
