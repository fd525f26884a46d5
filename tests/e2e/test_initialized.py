"""initialized: the model is loaded in the background, visibly, and its failure is one sentence."""

import asyncio
from pathlib import Path

import pytest
from editor import Editor, capabilities, editing
from lsprotocol import types


async def _until(editor: Editor, kind: type) -> list[object]:
    while True:
        reports = [report for all in editor.client.progress_reports.values() for report in all]
        if any(isinstance(report, kind) for report in reports):
            return reports
        await asyncio.sleep(0.02)


async def test_loading_shows_progress(tmp_path: Path) -> None:
    can = capabilities(progress=True)
    async with editing(tmp_path, can=can, load_seconds=0.5) as editor:
        begin, *reports, end = await _until(editor, types.WorkDoneProgressEnd)
        assert isinstance(begin, types.WorkDoneProgressBegin)
        assert isinstance(end, types.WorkDoneProgressEnd)
        assert begin.title == "Midline: loading qwen2.5-coder-0.5b"
        percentages = [
            report.percentage
            for report in reports
            if isinstance(report, types.WorkDoneProgressReport)
        ]
        assert percentages == [10, 20, 30, 40, 50, 60, 70, 80, 90, 100]


async def test_a_client_without_progress_gets_none(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        assert await editor.ghost(editor.open("x = \n"), 0, 4) == "1"
        assert editor.client.progress_reports == {}


async def test_a_failed_load_is_one_sentence(tmp_path: Path) -> None:
    can = capabilities(progress=True)
    async with editing(tmp_path, can=can, fails="the model is not here; pull it") as editor:
        await _until(editor, types.WorkDoneProgressEnd)
        uri = editor.open("x = \n")
        assert await editor.ghost(uri, 0, 4) is None
        assert await editor.ghost(uri, 0, 4) is None
        assert editor.shown() == ["Midline: the model is not here; pull it"]
        assert editor.client.messages[0].type is types.MessageType.Error


@pytest.mark.parametrize(
    "method", [types.WORKSPACE_CONFIGURATION, types.WINDOW_WORK_DONE_PROGRESS_CREATE]
)
async def test_a_client_that_refuses_a_question_is_served(tmp_path: Path, method: str) -> None:
    can = capabilities(progress=True, configuration=True)
    async with editing(
        tmp_path, can=can, options={"samples": 2}, refuses=(method,), answer="a|b"
    ) as editor:
        items = await asyncio.wait_for(editor.inline(editor.open("x = \n"), 0, 4), 10)
        assert items is not None
        assert len(items) == 2
        assert editor.shown() == []
        log = (tmp_path / "home" / "logs" / "midline.log").read_text("utf-8")
        assert f"the client answers {method} with an error" in log


async def test_a_client_that_registers_nothing_is_served(tmp_path: Path) -> None:
    can = capabilities()
    assert can.workspace is not None
    changes = types.DidChangeConfigurationClientCapabilities(dynamic_registration=True)
    can.workspace.did_change_configuration = changes
    async with editing(tmp_path, can=can) as editor:  # it has no such method
        assert await asyncio.wait_for(editor.ghost(editor.open("x = \n"), 0, 4), 10) == "1"


@pytest.mark.parametrize("offers", [True, False])
async def test_a_missing_model_is_told_unless_the_client_offers_it(
    tmp_path: Path, offers: bool
) -> None:
    can = capabilities(progress=True)
    can.experimental = {"midlinePull": offers}
    options = {"model": str(tmp_path / "missing.gguf")}
    async with editing(tmp_path, can=can, options=options, fails="it is not here") as editor:
        await _until(editor, types.WorkDoneProgressEnd)
        assert editor.shown() == ([] if offers else ["Midline: it is not here"])
