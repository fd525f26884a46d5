"""Windows of a shared engine process, for measurements with a home of their own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from lsprotocol import types

from midline.benchmarks.quality.typing.editor import LspEditor
from midline.model.paths import HOME_VARIABLE
from midline.server.documents import PositionEncoding

MIDLINE = (sys.executable, "-P", "-m", "midline.server.cli.main")
SERVE = (*MIDLINE, "serve")


def engine_processes(home: Path, action: str) -> list[dict[str, Any]]:
    """What `midline engine status` or `midline engine stop` says of each process."""
    done = subprocess.run(
        [*MIDLINE, "engine", action, "--json"],
        capture_output=True,
        check=True,
        env={**os.environ, HOME_VARIABLE: str(home)},
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)["engines"]
    return found


async def asked(
    editor: LspEditor, uri: str, offset: int, kind: types.InlineCompletionTriggerKind
) -> Any:
    """The answer to a request for completions in an open document."""
    document = editor.documents[uri]
    params = types.InlineCompletionParams(
        context=types.InlineCompletionContext(kind),
        text_document=types.TextDocumentIdentifier(uri),
        position=types.Position(*document.position(offset, PositionEncoding.UTF16)),
    )
    return await editor.client.text_document_inline_completion_async(params)
