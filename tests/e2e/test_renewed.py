"""midline/renewed by a real client: the pause model's text comes to the screen."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from editor import Editor, capabilities, editing
from lsprotocol import types
from tiny_model import QWEN2, write_tiny_model

ANSWERS = {"small.gguf": "", "large.gguf": "call(value)"}
CAN_RENEW = {"midlineRenewed": True}


@asynccontextmanager
async def two_models(
    folder: Path, can: types.ClientCapabilities, **options: Any
) -> AsyncIterator[tuple[Editor, list[Any]]]:
    """An editor at a server whose models answer differently, and what it is told of new texts."""
    paths = {name: write_tiny_model(folder / name, QWEN2) for name in ANSWERS}
    names = {"model": str(paths["small.gguf"]), "pauseModel": str(paths["large.gguf"])}
    told: list[Any] = []
    async with editing(folder, can=can, options=names | options, answers=ANSWERS) as editor:
        editor.client.feature("midline/renewed")(lambda params: told.append(params))
        yield editor, told


async def ask(editor: Editor, uri: str) -> list[str]:
    position = types.Position(0, 4)
    kind = types.InlineCompletionTriggerKind.Automatic
    params = types.InlineCompletionParams(
        types.InlineCompletionContext(kind), types.TextDocumentIdentifier(uri), position
    )
    found = await editor.client.text_document_inline_completion_async(params)
    assert isinstance(found, types.InlineCompletionList)
    return [str(item.insert_text) for item in found.items]


async def until_loaded(folder: Path) -> None:
    log = folder / "home" / "logs" / "midline.log"
    for _ in range(500):
        if log.exists() and "completes at pauses" in log.read_text("utf-8"):
            return
        await asyncio.sleep(0.02)
    raise AssertionError("the pause model was not loaded")


async def test_a_client_that_can_is_told_and_asks_again(tmp_path: Path) -> None:
    can = capabilities()
    can.experimental = CAN_RENEW
    async with two_models(tmp_path, can) as (editor, told):
        await until_loaded(tmp_path)
        uri = editor.open("x = \n")
        assert await ask(editor, uri) == []
        for _ in range(500):
            if told:
                break
            await asyncio.sleep(0.02)
        (one,) = told
        assert one.textDocument.uri == uri and one.position.character == 4
        assert await ask(editor, uri) == ["call(value)"]


async def test_another_client_sees_it_with_its_next_key(tmp_path: Path) -> None:
    async with two_models(tmp_path, capabilities()) as (editor, told):
        await until_loaded(tmp_path)
        uri = editor.open("x = \n")
        assert await ask(editor, uri) == []
        await asyncio.sleep(1)
        editor.type(uri, 0, 4, "c")
        assert await editor.ghost(uri, 0, 5) == "all(value)"
        assert told == []


@pytest.mark.parametrize(
    ("pause_model", "sentence"),
    [("qwen2.5-coder-1.5b", "midline model pull"), ("small.gguf", "which completes anyway")],
)
async def test_a_pause_model_that_cannot_be_used_is_one_sentence(
    tmp_path: Path, pause_model: str, sentence: str
) -> None:
    if pause_model.endswith(".gguf"):
        pause_model = str(tmp_path / pause_model)
    async with two_models(tmp_path, capabilities(), pauseModel=pause_model) as (editor, told):
        uri = editor.open("x = \n")
        assert await ask(editor, uri) == []
        for _ in range(200):
            if editor.shown():
                break
            await asyncio.sleep(0.02)
        assert len(editor.shown()) == 1 and sentence in editor.shown()[0]
        assert await ask(editor, uri) == [] and told == []
