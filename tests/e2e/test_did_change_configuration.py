"""workspace/didChangeConfiguration, and the other two ways settings reach the server."""

import asyncio
from pathlib import Path
from typing import Any

from editor import Editor, capabilities, editing
from lsprotocol import types


def send(editor: Editor, settings: Any) -> None:
    editor.client.workspace_did_change_configuration(
        types.DidChangeConfigurationParams(settings=settings)
    )


async def test_settings_sent_along_hold(tmp_path: Path) -> None:
    async with editing(tmp_path, options={"enabled": False}, answer="a|b") as editor:
        uri = editor.open("x = \n")
        assert await editor.inline(uri, 0, 4) == []
        send(editor, {"midline": {"samples": 2}})
        items = await editor.inline(uri, 0, 4)
        assert items is not None
        assert len(items) == 2


async def test_settings_that_the_client_keeps_are_fetched(tmp_path: Path) -> None:
    can = capabilities(configuration=True)
    kept = {"enabled": False}
    async with editing(tmp_path, can=can, configuration=kept) as editor:
        uri = editor.open("x = \n")
        await asyncio.sleep(0.3)
        assert await editor.inline(uri, 0, 4) == []
        editor.client.set_configuration({"enabled": True}, section="midline")
        send(editor, None)
        await asyncio.sleep(0.3)
        assert await editor.ghost(uri, 0, 4) == "1"


async def test_wrong_settings_are_one_sentence_and_defaults_hold(tmp_path: Path) -> None:
    wrong = {"samples": 0, "maxTokens": "many", "sparsity": 2, "colour": "red"}
    async with editing(tmp_path, options=wrong) as editor:
        assert await editor.ghost(editor.open("x = \n"), 0, 4) == "1"
        assert editor.asked()[0]["samples"] == 1
        assert len(editor.shown()) == 1
        assert "midline.maxTokens is 'many'" in editor.shown()[0]
        assert "(3 more, see " in editor.shown()[0]
        log = (tmp_path / "home" / "logs" / "midline.log").read_text("utf-8")
        assert all(f"midline.{name} is" in log for name in wrong)


async def test_another_model_is_loaded(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        uri = editor.open("x = \n")
        assert await editor.ghost(uri, 0, 4) == "1"
        send(editor, {"midline": {"model": "smollm2-135m"}})
        await asyncio.sleep(0.2)
        assert await editor.ghost(uri, 0, 4) == "1"
        log = (tmp_path / "home" / "logs" / "midline.log").read_text("utf-8")
        assert "loaded smollm2-135m" in log


async def test_what_could_not_be_loaded_is_loaded_once_it_is_set_right(tmp_path: Path) -> None:
    fails = {"fails": "no profile of 0.33", "fails_with": {"sparsity": 0.33}}
    async with editing(tmp_path, options={"sparsity": 0.33}, **fails) as editor:
        uri = editor.open("x = \n")
        assert await editor.ghost(uri, 0, 4) is None
        assert editor.shown() == ["Midline: no profile of 0.33"]
        send(editor, {"midline": {"sparsity": 0.4}})
        await asyncio.sleep(0.3)
        assert await editor.ghost(uri, 0, 4) == "1"


async def test_settings_that_come_twice_load_once(tmp_path: Path) -> None:
    """Clients that are asked for their settings send them at the start, too."""
    can = capabilities(configuration=True)
    kept = {"model": "smollm2-135m"}
    async with editing(tmp_path, can=can, configuration=kept, load_seconds=0.2) as editor:
        send(editor, {"midline": kept})
        await asyncio.sleep(0.8)
        assert await editor.ghost(editor.open("x = \n"), 0, 4) == "1"
        log = (tmp_path / "home" / "logs" / "midline.log").read_text("utf-8")
        assert log.count("loaded smollm2-135m") == 1


async def test_a_change_without_settings_changes_nothing(tmp_path: Path) -> None:
    async with editing(tmp_path, options={"enabled": False}) as editor:
        send(editor, None)
        assert await editor.inline(editor.open("x = \n"), 0, 4) == []
