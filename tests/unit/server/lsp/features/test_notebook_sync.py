"""notebookDocument/didOpen, didChange and didClose: a completion in a cell reads the others."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fake_engine import FakeEngine
from raw_client import notification
from wire import Wire, asking, wired

from midline.model.tokenizer.tokenizer import Tokenizer

BOOK = "file:///home/trip.ipynb"


def uri(number: int) -> str:
    return f"vscode-notebook-cell:/home/trip.ipynb#c{number}"


def item(number: int, text: str, language: str = "python") -> dict[str, Any]:
    return {"uri": uri(number), "languageId": language, "version": 1, "text": text}


def cell(number: int, kind: int = 2) -> dict[str, Any]:
    return {"kind": kind, "document": uri(number)}


@asynccontextmanager
async def _notebook(tokenizer: Tokenizer) -> AsyncIterator[tuple[Wire, FakeEngine]]:
    engine = FakeEngine(tokenizer, lambda prompt: "answer\n")
    can = {"notebookDocument": {"synchronization": {}}}
    async with wired(lambda settings, progress: engine, capabilities=can) as wire:
        await wire.until(lambda: wire.server.status.status.state == "ready")
        book = {
            "uri": BOOK,
            "notebookType": "jupyter-notebook",
            "version": 1,
            "cells": [cell(1), cell(2, 1), cell(3), cell(4)],
        }
        items = [
            item(1, "speeds = [3, 4]"),
            item(2, "# A title in prose", "markdown"),
            item(3, "mean = "),
            item(4, "print(mean)"),
        ]
        params = {"notebookDocument": book, "cellTextDocuments": items}
        wire.send(notification("notebookDocument/didOpen", params))
        yield wire, engine


def _changed(**cells: Any) -> dict[str, Any]:
    params = {"notebookDocument": {"uri": BOOK, "version": 2}, "change": {"cells": cells}}
    return notification("notebookDocument/didChange", params)


async def test_the_server_says_that_it_follows_notebooks(qwen2_tokenizer: Tokenizer) -> None:
    async with _notebook(qwen2_tokenizer) as (wire, _):
        sync = wire.server.protocol.server_capabilities.notebook_document_sync
        assert sync is not None
        assert sync.notebook_selector[0].notebook == "*"


async def test_a_completion_in_a_cell_reads_the_cells_around_it(
    qwen2_tokenizer: Tokenizer,
) -> None:
    async with _notebook(qwen2_tokenizer) as (wire, engine):
        answer = await wire.ask(asking("a", uri(3), 0, 7, 1))
        (first, *_) = answer["result"]["items"]
        assert first["insertText"].startswith("answer")
        assert first["range"]["start"] == {"line": 0, "character": 7}
        asked = engine.asked[0]
        assert asked.index("speeds = [3, 4]") < asked.index("print(mean)")
        assert "A title in prose" not in asked
        assert asked.count("speeds") == 1
        assert "trip.py" in asked


async def test_cells_that_come_go_and_are_edited_are_followed(qwen2_tokenizer: Tokenizer) -> None:
    async with _notebook(qwen2_tokenizer) as (wire, engine):
        array = {"start": 0, "deleteCount": 1, "cells": [cell(5)]}
        opened = [item(5, "speeds = (5,)")]
        closed = [{"uri": uri(1)}]
        wire.send(_changed(structure={"array": array, "didOpen": opened, "didClose": closed}))
        place = {"line": 0, "character": 6}
        edit = {"range": {"start": place, "end": {"line": 0, "character": 10}}, "text": "middle"}
        content = {"document": {"uri": uri(4), "version": 2}, "changes": [edit]}
        wire.send(_changed(textContent=[content]))
        await wire.ask(asking("a", uri(3), 0, 7, 1))
        assert "speeds = (5,)" in engine.asked[0]
        assert "[3, 4]" not in engine.asked[0]
        assert "print(middle)" in engine.asked[0]


async def test_a_cell_that_becomes_prose_is_left_out(qwen2_tokenizer: Tokenizer) -> None:
    async with _notebook(qwen2_tokenizer) as (wire, engine):
        wire.send(_changed(data=[cell(1, 1)]))
        await wire.ask(asking("a", uri(3), 0, 7, 1))
        assert "speeds" not in engine.asked[0]


async def test_typing_in_a_cell_goes_on_with_its_live_completion(
    qwen2_tokenizer: Tokenizer,
) -> None:
    async with _notebook(qwen2_tokenizer) as (wire, engine):
        assert (await wire.ask(asking("a", uri(3), 0, 7)))["result"]["items"]
        place = {"line": 0, "character": 7}
        edit = {"range": {"start": place, "end": place}, "text": "an"}
        content = {"document": {"uri": uri(3), "version": 2}, "changes": [edit]}
        wire.send(_changed(textContent=[content]))
        items = (await wire.ask(asking("b", uri(3), 0, 9)))["result"]["items"]
        assert items[0]["insertText"].startswith("swer")
        assert not [asked for asked in engine.asked if asked.endswith("mean = an")]


async def test_a_closed_notebook_leaves_nothing(qwen2_tokenizer: Tokenizer) -> None:
    async with _notebook(qwen2_tokenizer) as (wire, _):
        await wire.ask(asking("a", uri(3), 0, 7, 1))
        params = {"notebookDocument": {"uri": BOOK}, "cellTextDocuments": [{"uri": uri(1)}]}
        wire.send(notification("notebookDocument/didClose", params))
        await wire.until(lambda: not wire.server.session.notebooks)
        assert wire.server.session.documents == {}
        wire.send(_changed(data=[cell(1, 1)]))
        assert (await wire.ask(asking("b", uri(3), 0, 7)))["result"]["items"] == []


async def test_cells_of_a_client_without_notebooks_are_documents(
    qwen2_tokenizer: Tokenizer,
) -> None:
    engine = FakeEngine(qwen2_tokenizer, lambda prompt: "answer\n")
    async with wired(lambda settings, progress: engine) as wire:
        wire.open("mean = ", uri(3))
        assert (await wire.ask(asking("a", uri(3), 0, 7, 1)))["result"]["items"]
