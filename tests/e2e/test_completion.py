"""textDocument/completion: the same completions for a client that has only a menu."""

from pathlib import Path

from editor import Editor, capabilities, editing
from lsprotocol import types


async def ask(editor: Editor, uri: str, line: int, character: int) -> types.CompletionList | None:
    found = await editor.client.text_document_completion_async(
        types.CompletionParams(types.TextDocumentIdentifier(uri), types.Position(line, character))
    )
    assert found is None or isinstance(found, types.CompletionList)
    return found


async def test_the_item_replaces_the_word_before_the_cursor(tmp_path: Path) -> None:
    can = capabilities(inline=False)
    async with editing(tmp_path, can=can, answer="lue + 1") as editor:
        found = await ask(editor, editor.open("é = 1\n😀 = va\n"), 1, 7)
        assert found is not None
        item = found.items[0]
        assert (item.label, item.filter_text) == ("value + 1", "va")
        span = types.Range(types.Position(1, 5), types.Position(1, 7))
        assert item.text_edit == types.TextEdit(span, "value + 1")
        assert item.insert_text_mode is types.InsertTextMode.AsIs
        assert found.is_incomplete


async def test_several_lines_keep_their_indentation(tmp_path: Path) -> None:
    can = capabilities(inline=False)
    patient = {"answerMilliseconds": 60_000}
    async with editing(tmp_path, can=can, options=patient, answer="a):\n    return a\n") as editor:
        found = await ask(editor, editor.open("def f(\n"), 0, 6)
        assert found is not None
        assert isinstance(found.items[0].text_edit, types.TextEdit)
        assert found.items[0].text_edit.new_text == "a):\n    return a"
        assert found.items[0].label == "a):"


async def test_nothing_to_say_is_null(tmp_path: Path) -> None:
    async with editing(tmp_path, can=capabilities(inline=False), answer="\n") as editor:
        assert await ask(editor, editor.open("x = 1\n"), 0, 5) is None
        assert await ask(editor, "file:///never.py", 0, 0) is None
