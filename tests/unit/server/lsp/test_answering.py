"""Silence with a reason: where a completion is useless, unwanted, or impossible."""

from collections.abc import Callable
from typing import Any

import pytest
from fake_engine import FakeEngine
from raw_client import notification
from wire import Wire, asking, wired

from midline.model.errors import MidlineError
from midline.model.tokenizer.tokenizer import Tokenizer


@pytest.fixture
def engine(qwen2_tokenizer: Tokenizer) -> FakeEngine:
    return FakeEngine(qwen2_tokenizer, lambda prompt: "'a', 'b')")


def loading(engine: FakeEngine) -> Callable[..., Any]:
    return lambda settings, progress: engine


async def offered(wire: Wire, uri: str, column: int, kind: int = 2) -> list[str]:
    """Texts of the answer in the first line."""
    answer = await wire.ask(asking(f"{len(wire.heard)}-{column}", uri, 0, column, kind))
    return [item["insertText"] for item in answer["result"]["items"]]


def silent(wire: Wire) -> Any:
    return wire.said("midline/status")[-1]["silent"]


async def test_only_by_hand_computes_nothing_while_typing(engine: FakeEngine) -> None:
    async with wired(loading(engine), onlyByHand=True) as wire:
        await wire.until(lambda: wire.server.status.status.state == "ready")
        reads, uri = engine.reads, wire.open("f(\n")
        assert await offered(wire, uri, 2) == []
        assert silent(wire) == "only by hand" and engine.reads == reads
        assert await offered(wire, uri, 2, kind=1)
        assert silent(wire) is None


async def test_a_lock_file_is_completed_by_hand_alone(engine: FakeEngine) -> None:
    async with wired(loading(engine)) as wire:
        uri = wire.open("f(\n", "file:///project/uv.lock", "toml")
        assert await offered(wire, uri, 2) == []
        assert silent(wire) == "a generated file"
        assert await offered(wire, uri, 2, kind=1)


async def test_a_file_of_passwords_is_never_completed(engine: FakeEngine) -> None:
    async with wired(loading(engine)) as wire:
        await wire.until(lambda: wire.server.status.status.state == "ready")
        reads, uri = engine.reads, wire.open("KEY=\n", "file:///project/.env", "shellscript")
        for kind in (1, 2):
            assert await offered(wire, uri, 4, kind) == []
            assert silent(wire) == "secrets"
        assert engine.reads == reads


async def test_behind_a_closing_quote_only_what_goes_on_is_shown(engine: FakeEngine) -> None:
    async with wired(loading(engine)) as wire:
        uri = wire.open("f('a'\n")
        assert await offered(wire, uri, 5) == []
        assert silent(wire) == "behind a closing quote"
        uri = wire.open("f(\n", "file:///b.py")
        assert (await offered(wire, uri, 2))[0].startswith("'a'")
        for column, key in enumerate("'a'", 2):
            place = {"line": 0, "character": column}
            change = {"range": {"start": place, "end": place}, "text": key}
            document = {"uri": uri, "version": column}
            wire.send(
                notification(
                    "textDocument/didChange", {"textDocument": document, "contentChanges": [change]}
                )
            )
        assert await offered(wire, uri, 5) == [", 'b')"]


async def test_a_language_that_is_off_and_a_failed_model_have_their_reasons(
    engine: FakeEngine,
) -> None:
    def fail(settings: Any, progress: Any) -> Any:
        raise MidlineError("the file is damaged; pull it again")

    async with wired(fail, model="/no/such.gguf", disabledLanguages=["lua"]) as wire:
        await wire.until(lambda: wire.server.load_settled.is_set())
        assert await offered(wire, wire.open("f(\n"), 2) == []
        assert silent(wire) == "no model"
        assert await offered(wire, wire.open("f(\n", "file:///a.lua", "lua"), 2) == []
        assert silent(wire) == "language disabled"
        assert await offered(wire, "file:///never-opened.py", 2) == []
        assert silent(wire) == "not open"


async def test_off_computes_nothing(engine: FakeEngine) -> None:
    async with wired(loading(engine), enabled=False) as wire:
        await wire.until(lambda: wire.server.load_settled.is_set())
        reads = engine.reads
        assert await offered(wire, wire.open("f(\n"), 2, kind=1) == []
        assert silent(wire) == "off" and engine.reads == reads
