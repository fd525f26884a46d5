"""The editor at a real server process whose model is known: what is asked, shown and dropped."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from editor import FAKE_SERVER
from lsprotocol import types
from tiny_model import QWEN2, write_tiny_model

from midline.benchmarks.quality.typing.editor import LspEditor, ghost_text, memory_bytes, serving
from midline.model.errors import MidlineError
from midline.server.documents import Document

URI = "file:///nowhere/a.py"


@asynccontextmanager
async def editing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any] | None = None,
    **fake: Any,
) -> AsyncIterator[LspEditor]:
    told = {"log": str(tmp_path / "asked.jsonl"), "folder": str(tmp_path), **fake}
    monkeypatch.setenv("MIDLINE_FAKE", json.dumps(told))
    (tmp_path / "home").mkdir()
    command = (sys.executable, "-P", str(FAKE_SERVER))
    async with serving(tmp_path / "home", options or {}, debounce=0.0, command=command) as editor:
        yield editor


async def until_shown(editor: LspEditor, text: str) -> None:
    async with asyncio.timeout(60):
        while editor.screen.text != text:
            await asyncio.sleep(0.01)


async def test_a_key_is_answered_and_typed_along(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with editing(tmp_path, monkeypatch, answer="total + 1") as editor:
        await editor.open(URI, "def f(total):\n    return\n", "python")
        editor.jump(URI, len("def f(total):\n    return"))
        await asyncio.sleep(0.05)
        assert editor.requests == 0
        editor.insert(" ")
        await until_shown(editor, "total + 1")
        editor.insert("t")
        assert editor.screen.text == "otal + 1"
        await until_shown(editor, "otal + 1")
        assert editor.documents[URI].text == "def f(total):\n    return t\n"
        editor.erase()
        assert editor.screen.text == ""
        await until_shown(editor, "total + 1")
        assert editor.requests == 2  # that of the key before was given up before it was sent
        assert editor.cpu_seconds() is None or editor.cpu_seconds() > 0.0
        await editor.settle()
        assert (editor.tokens_read() or 0) > 0


async def test_the_pause_model_s_text_comes_to_the_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = {"small.gguf": "", "large.gguf": "call(value)"}
    paths = {name: str(write_tiny_model(tmp_path / name, QWEN2)) for name in answers}
    options = {"model": paths["small.gguf"], "pauseModel": paths["large.gguf"]}
    async with editing(tmp_path, monkeypatch, options, answers=answers) as editor:
        await editor.open(URI, "x =\n", "python")
        await editor.settle()
        editor.jump(URI, 3)
        editor.insert(" ")
        await until_shown(editor, "call(value)")
        assert [state.cause for state in editor.screen.states][-1] == "appeared"
        assert memory_bytes(editor) is None or memory_bytes(editor) > 1 << 20  # type: ignore[operator]


async def test_an_answer_that_a_key_has_overtaken_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with editing(tmp_path, monkeypatch, answer="abcdefgh", seconds=0.05) as editor:
        await editor.open(URI, "x = \n", "python")
        editor.jump(URI, 4)
        for key in "yz":
            editor.insert(key)
            await asyncio.sleep(0.02)
        await until_shown(editor, "abcdefgh")
        assert [state.text for state in editor.screen.states] == ["", "abcdefgh"]


async def test_the_same_place_is_asked_for_again_until_a_key_comes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with editing(tmp_path, monkeypatch, answer="abcdefgh") as editor:
        editor.again = 0.05
        await editor.open(URI, "x = \n", "python")
        editor.jump(URI, 4)
        editor.insert("y")
        await until_shown(editor, "abcdefgh")
        while editor.requests < 2 or editor._pending is not None:
            await asyncio.sleep(0.01)
        assert [state.cause for state in editor.screen.states] == ["key", "appeared", "kept"]
        editor.insert("z")
        await until_shown(editor, "abcdefgh")
        editor.insert("q")
        assert editor.requests == 3  # the key came before the third place was asked for again


async def test_a_server_that_cannot_complete_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MidlineError, match="no weights today"):
        async with editing(tmp_path, monkeypatch, fails="no weights today"):
            pass


@pytest.mark.parametrize(
    ("text", "start", "expected"),
    [("urn x", 3, "urn x"), ("return x", 0, "urn x"), ("other", 0, "")],
)
def test_ghost_text_is_what_stands_behind_the_cursor(text: str, start: int, expected: str) -> None:
    span = types.Range(types.Position(0, start), types.Position(0, 3))
    item = types.InlineCompletionItem(insert_text=text, range=span)
    document = Document(URI, "ret\n")
    assert ghost_text(types.InlineCompletionList([item]), document, 3) == expected
    assert ghost_text([item], document, 3) == expected
    assert ghost_text(None, document, 3) == ghost_text([], document, 3) == ""
