"""textDocument/inlineCompletion by a real client: typing, cancelling, asking again."""

import asyncio
import contextlib
from pathlib import Path

import pytest
from editor import MIDLINE, Editor, capabilities, editing, inline_params, replacement
from lsprotocol import types
from pygls.exceptions import JsonRpcException
from tiny_model import QWEN2, write_tiny_model


async def test_typing_brings_ghost_text(tmp_path: Path) -> None:
    async with editing(tmp_path, answer="lue + 1\nnext line") as editor:
        uri = editor.open("def f(value):\n    \n")
        editor.type(uri, 1, 4, "return va")
        items = await editor.inline(uri, 1, 13)
        assert [item.insert_text for item in items] == ["lue + 1"]
        assert items[0].range == types.Range(types.Position(1, 13), types.Position(1, 13))
        asked = editor.asked()[-1]
        assert asked["prompt"].startswith(
            "<|file_sep|>a.py\n<|fim_prefix|>def f(value):\n<|fim_suffix|>\n"
        )
        assert (asked["prompt"] + asked["align"]).endswith("<|fim_middle|>    return va")


async def test_a_cancelled_request_is_answered_and_the_work_stops(tmp_path: Path) -> None:
    async with editing(tmp_path, answer="a, " * 500, seconds=0.05) as editor:
        uri = editor.open("x = [\n")
        id, answer = editor.ask(uri, 0, 5)
        await editor.until_asked(1)
        editor.cancel(id)
        with pytest.raises(JsonRpcException) as refused:
            await answer
        assert refused.value.code == types.LSPErrorCodes.RequestCancelled
        await _engine_is_free(editor, uri)


async def test_the_newest_request_wins(tmp_path: Path) -> None:
    async with editing(tmp_path, answer="(1, 2, 3)", seconds=0.05) as editor:
        uri = editor.open("f = g\n")
        answers = [editor.ask(uri, 0, column)[1] for column in (3, 4, 5)]
        results = await asyncio.gather(*answers)
        assert [bool(result.items) for result in results] == [False, False, True]


async def test_requests_of_other_documents_are_served_too(tmp_path: Path) -> None:
    async with editing(tmp_path, answer="(1)", seconds=0.02) as editor:
        one, two = editor.open("f\n", "file:///1.py"), editor.open("g\n", "file:///2.py")
        found = await asyncio.gather(editor.ghost(one, 0, 1), editor.ghost(two, 0, 1))
        assert found == ["(1)", "(1)"]


async def test_an_edit_makes_the_answer_stale(tmp_path: Path) -> None:
    async with editing(tmp_path, answer="a, " * 500, seconds=0.05) as editor:
        uri = editor.open("x = [\n")
        _, answer = editor.ask(uri, 0, 5)
        await editor.until_asked(1)
        editor.type(uri, 0, 5, "b")
        assert (await answer).items == ()
        await _engine_is_free(editor, uri)


async def test_closing_gives_up(tmp_path: Path) -> None:
    async with editing(tmp_path, answer="a, " * 500, seconds=0.05) as editor:
        uri = editor.open("x = [\n")
        _, answer = editor.ask(uri, 0, 5)
        await editor.until_asked(1)
        identifier = types.TextDocumentIdentifier(uri)
        editor.client.text_document_did_close(types.DidCloseTextDocumentParams(identifier))
        assert (await answer).items == ()
        assert await editor.ghost(uri, 0, 5) is None


async def test_a_request_waits_for_the_model(tmp_path: Path) -> None:
    async with editing(tmp_path, answer="1", load_seconds=0.5) as editor:
        uri = editor.open("x = \n")
        assert await editor.ghost(uri, 0, 4) == "1"


async def test_the_selected_item_is_extended(tmp_path: Path) -> None:
    async with editing(tmp_path, answer="(items)") as editor:
        uri = editor.open("n = le\n")
        span = types.Range(types.Position(0, 4), types.Position(0, 6))
        selected = types.SelectedCompletionInfo(span, "length")
        items = await editor.inline(uri, 0, 6, selected=selected)
        assert (items[0].insert_text, items[0].range) == ("length(items)", span)
        asked = editor.asked()[-1]
        assert (asked["prompt"] + asked["align"]).endswith("n = length")


@pytest.mark.parametrize(
    ("encodings", "column"),
    [(["utf-8"], 13), (["utf-16", "utf-8"], 10), (["utf-32"], 9), (None, 10)],
)
async def test_positions_are_in_the_agreed_encoding(
    tmp_path: Path, encodings: list[str] | None, column: int
) -> None:
    can = capabilities(encodings=encodings)
    async with editing(tmp_path, can=can, answer="* 2 ") as editor:
        agreed = editor.result.capabilities.position_encoding
        assert agreed == (encodings or ["utf-16"])[0]
        uri = editor.open("s = 'é😀' + x\n")
        editor.change(uri, replacement(0, column, 0, column, " "))
        assert (await editor.ghost(uri, 0, column + 1) or "").strip() == "* 2"
        asked = editor.asked()[-1]
        assert asked["prompt"].startswith("<|file_sep|>a.py\n<|fim_prefix|><|fim_suffix|>+ x\n")
        assert (asked["prompt"] + asked["align"]).endswith("s = 'é😀'  ")


async def test_crlf_stays(tmp_path: Path) -> None:
    patient = {"answerMilliseconds": 60_000}
    async with editing(tmp_path, options=patient, answer="a):\n\t\treturn a\n") as editor:
        uri = editor.open("x = 1\r\n\tdef f(\r\n")
        assert await editor.ghost(uri, 1, 7) == "a):\r\n\t\treturn a"


async def test_alternatives_come_best_first(tmp_path: Path) -> None:
    options = {"samples": 3}
    async with editing(tmp_path, options=options, answer="one|two|one") as editor:
        items = await editor.inline(editor.open("x = \n"), 0, 4)
        assert [item.insert_text for item in items] == ["one", "two"]


async def test_who_asks_by_hand_may_cycle(tmp_path: Path) -> None:
    async with editing(tmp_path, answer="one|two|one|three") as editor:
        uri = editor.open("x = \n")
        assert [item.insert_text for item in await editor.inline(uri, 0, 4)] == ["one"]
        params = inline_params(uri, 0, 4)
        params.context.trigger_kind = types.InlineCompletionTriggerKind.Invoked
        found = await editor.client.text_document_inline_completion_async(params)
        assert isinstance(found, types.InlineCompletionList)
        assert sorted(str(item.insert_text) for item in found.items) == ["one", "three", "two"]
        assert [asked["samples"] for asked in editor.asked()] == [1, 4]


async def test_nothing_to_say_is_an_empty_list(tmp_path: Path) -> None:
    async with editing(tmp_path, answer="\n\n") as editor:
        uri = editor.open("x = 1\n")
        assert await editor.inline(uri, 0, 5) == []
        assert await editor.inline("file:///never-opened.py", 0, 0) == []
        assert editor.shown() == []


async def test_switched_off_asks_nothing(tmp_path: Path) -> None:
    for options in ({"enabled": False}, {"disabledLanguages": ["python"]}):
        async with editing(tmp_path, options=options, answer="1") as editor:
            assert await editor.inline(editor.open("x = \n"), 0, 4) == []
            assert editor.asked() == []


async def test_a_broken_engine_is_one_sentence(tmp_path: Path) -> None:
    async with editing(tmp_path, breaks="an inner detail") as editor:
        uri = editor.open("x = \n")
        for _ in range(3):
            assert await editor.ghost(uri, 0, 4) is None
        assert len(editor.shown()) == 1
        assert "an inner detail" not in editor.shown()[0]
        log = Path(editor.shown()[0].split("see ")[1])
        assert "an inner detail" in log.read_text("utf-8")


async def test_what_is_typed_along_is_not_computed_again(tmp_path: Path) -> None:
    async with editing(tmp_path, answer="call(value)") as editor:
        uri = editor.open("x = \nend\n")
        shown = await editor.ghost(uri, 0, 4)
        assert shown == "call(value)"
        for typed in range(1, len(shown)):
            editor.type(uri, 0, 3 + typed, shown[typed - 1])
            assert await editor.ghost(uri, 0, 4 + typed) == shown[typed:]
        assert len(editor.asked()) == 1
        editor.type(uri, 0, 3 + len(shown), shown[-1])
        await editor.ghost(uri, 0, 4 + len(shown))
        assert len(editor.asked()) == 2


async def test_an_edit_elsewhere_ends_what_is_typed_along(tmp_path: Path) -> None:
    async with editing(tmp_path, answer="call(value)") as editor:
        uri = editor.open("x = \nend\n")
        assert await editor.ghost(uri, 0, 4) == "call(value)"
        editor.type(uri, 0, 4, "c")
        editor.type(uri, 1, 3, "!")
        await editor.ghost(uri, 0, 5)
        assert len(editor.asked()) == 2
        invoked = types.InlineCompletionTriggerKind.Invoked
        params = inline_params(uri, 0, 5)
        params.context.trigger_kind = invoked  # asked for by hand: computed anew
        await editor.client.text_document_inline_completion_async(params)
        assert len(editor.asked()) == 3


async def test_other_open_files_are_read_when_there_is_time(tmp_path: Path) -> None:
    """Chunks that share names come first, what is ignored or secret does not come at all."""
    (tmp_path / "project" / ".git").mkdir(parents=True)
    (tmp_path / "project" / ".gitignore").write_text("ignored.py\n")
    helper = "def parse_header(raw):\n    return raw.partition(':')\n"
    files = {"src/helper.py": helper, "ignored.py": f"{helper}i = 1\n", ".env": f"{helper}e = 1\n"}
    async with editing(tmp_path, answer="(raw)") as editor:
        for name, text in files.items():
            editor.open(text, (tmp_path / "project" / name).as_uri())
        uri = editor.open("x = parse_header\n", (tmp_path / "project" / "a.py").as_uri())
        assert await editor.ghost(uri, 0, 16) == "(raw)"
        asked = editor.asked()[-1]["prompt"]
        assert asked.startswith(
            f"<|repo_name|>project\n<|file_sep|>src/helper.py\n{helper}<|file_sep|>a.py\n<|fim_prefix|>"
        )
        assert "i = 1" not in asked
        assert "e = 1" not in asked


async def test_no_other_files_are_read_if_they_are_not_wanted(tmp_path: Path) -> None:
    async with editing(tmp_path, options={"contextTokens": 0}, answer="(raw)") as editor:
        editor.open("def parse_header(raw):\n    pass\n", "untitled:b")
        assert await editor.ghost(editor.open("x = parse_header\n"), 0, 16) == "(raw)"
        assert editor.asked()[-1]["prompt"].startswith("<|file_sep|>a.py\n<|fim_prefix|>")


async def test_the_real_engine_serves_a_tiny_model(tmp_path: Path, home: Path) -> None:
    """Noise, but the engine's own: the same for the same text, and stopped when cancelled."""
    model = write_tiny_model(tmp_path / "tiny.gguf", QWEN2)
    options = {"model": str(model), "maxTokens": 24, "samples": 3, "temperature": 1.5}
    async with editing(tmp_path, *MIDLINE, options=options) as editor:
        uri = editor.open("def f(value):\n    \n", "file:///a.txt", "plaintext")
        editor.type(uri, 1, 4, "return va")
        once, again = await editor.inline(uri, 1, 13), await editor.inline(uri, 1, 13)
        assert once
        assert once == again
        editor.type(uri, 1, 13, "l")
        id, answer = editor.ask(uri, 1, 14)
        editor.cancel(id)
        with contextlib.suppress(JsonRpcException):  # it may have been quicker
            await answer
        assert await editor.inline(uri, 1, 14) != once
        assert editor.shown() == []


async def test_the_real_model_writes_ghost_text(qwen05_path: Path, tmp_path: Path) -> None:
    """Typed, completed, cancelled in the middle, completed again."""
    text = "import json\n\n\ndef read(path):\n    with open(path) as file:\n        \n"
    async with editing(tmp_path, *MIDLINE, options={"model": str(qwen05_path)}) as editor:
        uri = editor.open(text)
        editor.type(uri, 5, 8, "return json.lo")
        assert await editor.ghost(uri, 5, 22) == "ad(file)"
        long = "".join(f"field_{n} = {n * n * 7919}\n" for n in range(400))  # a second to read
        editor.open(f"{long}\n", "file:///b.py")
        id, answer = editor.ask("file:///b.py", 400, 0)
        await asyncio.sleep(0.1)
        editor.cancel(id)
        with pytest.raises(JsonRpcException):
            await answer
        editor.type(uri, 5, 22, "a")
        assert await editor.ghost(uri, 5, 23) == "d(file)"
        assert editor.shown() == []


async def _engine_is_free(editor: Editor, uri: str) -> None:
    """Wait until the engine has taken up another request."""
    count = len(editor.asked())
    id, answer = editor.ask(uri, 0, 0)
    await editor.until_asked(count + 1)
    editor.cancel(id)
    with pytest.raises(JsonRpcException):
        await answer
