"""initialize: quick, and honest about what the server can do."""

import time
from pathlib import Path

from editor import MIDLINE, capabilities, editing
from lsprotocol import types


async def test_ghost_text_is_advertised(tmp_path: Path) -> None:
    async with editing(tmp_path) as editor:
        can = editor.result.capabilities
        assert can.inline_completion_provider == types.InlineCompletionOptions()
        assert can.completion_provider is None
        assert isinstance(can.text_document_sync, types.TextDocumentSyncOptions)
        assert can.text_document_sync.open_close is True
        assert can.text_document_sync.change is types.TextDocumentSyncKind.Incremental
        assert editor.result.server_info is not None
        assert editor.result.server_info.name == "midline"


async def test_completion_is_for_clients_without_ghost_text(tmp_path: Path) -> None:
    async with editing(tmp_path, can=capabilities(inline=False)) as editor:
        assert editor.result.capabilities.completion_provider is not None


async def test_the_real_server_answers_before_it_has_a_model(tmp_path: Path) -> None:
    """From the start of the process to the answer; a load of two seconds does not delay it."""
    began = time.monotonic()
    async with editing(tmp_path, *MIDLINE, options={"model": "no-such-model"}) as editor:
        answered = time.monotonic() - began
        assert editor.result.capabilities.inline_completion_provider is not None
        assert answered < 5.0
    began = time.monotonic()
    async with editing(tmp_path, load_seconds=2.0):
        began_to_answer = time.monotonic() - began
        assert began_to_answer < 5.0
