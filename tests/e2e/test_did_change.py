"""textDocument/didChange: whatever the edits, the model sees the text the editor has."""

import random
from pathlib import Path

from editor import editing, replacement
from lsprotocol import types

PIECES = ["\n", "\r\n", "é", "😀", "word", " ", "\t", "\x0c", ""]


def utf16(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


async def test_many_edits_in_one_change_apply_in_order(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        uri = editor.open("one\ntwo\nthree\n")
        editor.change(
            uri,
            replacement(1, 0, 1, 3, "2"),
            replacement(0, 0, 1, 0, ""),
            types.TextDocumentContentChangeWholeDocument("whole\nnew\n"),
            replacement(1, 3, 2, 0, "\nend"),
        )
        await editor.ghost(uri, 2, 3)
        asked = editor.asked()[-1]
        assert asked["prompt"].startswith(
            "<|file_sep|>a.py\n<|fim_prefix|>whole\nnew\n<|fim_suffix|><|fim_middle|>"
        )
        assert (asked["prompt"] + asked["align"]).endswith("end")


async def test_random_edits_leave_the_text_of_the_editor(tmp_path: Path) -> None:
    """A form feed ends no line here, which is where line counting commonly goes wrong."""
    dice = random.Random(4)
    async with editing(tmp_path) as editor:
        uri, lines = editor.open("start\n"), ["start", ""]
        for _ in range(60):
            line = dice.randrange(len(lines))
            at = dice.randint(0, len(lines[line]))
            end = dice.randint(at, len(lines[line]))
            new = "".join(dice.choices(PIECES, k=3))
            columns = utf16(lines[line][:at]), utf16(lines[line][:end])
            editor.change(uri, replacement(line, columns[0], line, columns[1], new))
            changed = lines[line][:at] + new.replace("\r\n", "\n") + lines[line][end:]
            lines[line : line + 1] = changed.split("\n")
        await editor.ghost(uri, 0, 0)
        asked = editor.asked()[-1]
        text = "\n".join(lines)
        assert asked["prompt"].startswith(
            f"<|file_sep|>a.py\n<|fim_prefix|><|fim_suffix|>{text[:300]}"
        )


async def test_a_change_of_an_unknown_document_hurts_nobody(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        editor.versions["file:///never.py"] = 1
        editor.change("file:///never.py", replacement(0, 0, 0, 0, "x"))
        assert await editor.ghost(editor.open("x = \n"), 0, 4) == "1"
        assert editor.shown() == []
