"""midline/cursor by a real client: what it prepares, and what makes no sense."""

from pathlib import Path

from editor import editing

TEXT = "def f(a):\n    return a\n" + "\n\nvalues = [f(n) for n in range(9)]\n" * 40


async def test_a_place_is_prepared_and_completed(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        uri = editor.open(TEXT)
        place = {"line": 0, "character": 9}
        editor.client.protocol.notify(
            "midline/cursor", {"textDocument": {"uri": uri}, "position": place}
        )
        editor.type(uri, 0, 9, "\n    x = ")
        assert await editor.ghost(uri, 1, 8) == "1"


async def test_nonsense_hurts_nobody(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        uri = editor.open("x = \n")
        for params in (None, [], {"position": {"line": "a"}}, {"textDocument": {"uri": uri}}):
            editor.client.protocol.notify("midline/cursor", params)
        assert await editor.ghost(uri, 0, 4) == "1"
