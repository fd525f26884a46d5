"""midline.explainImage: what failed in a screenshot, where that is, and why.

`{path, uri?}`, or `{data, uri?}` with the picture's bytes in Base64, as from the clipboard. `uri`
is a file of the project that is meant. The answer has `headline`, `failure`, `places`
(with uris; the first one is to be opened), `text` and `answer`; `message` says in one sentence what
is wrong.
"""

import asyncio
import base64
import binascii
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcInvalidParams

from midline.kernels import CancelFlag
from midline.model.errors import MidlineError
from midline.server.context.projects import file_path
from midline.server.lsp.engine_thread import NoEngineError
from midline.server.lsp.engine_writing import WritingWork
from midline.server.lsp.progress_bar import ProgressBar
from midline.server.lsp.server import MidlineServer
from midline.server.routing.engine_tasks import run_ask
from midline.server.routing.outcome import Answer, Ask
from midline.server.routing.screen_failure import ScreenReading, question, read_screenshot
from midline.server.routing.workspace import Workspace

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

LOGGER = logging.getLogger(__name__)


async def explain_image(ls: MidlineServer, request: Any) -> dict[str, Any]:
    """Read a picture and explain what failed in it."""
    data, name = _picture_of(request)
    work = WritingWork()
    bar = await ProgressBar.begin(ls, "Midline: reading the picture", work.abandon)
    found: dict[str, Any] = {}
    try:
        workspace = _workspace(ls, request)
        reading = await asyncio.to_thread(_read, data, name, workspace, work.flag)
        found = _shown(reading, workspace)
        outcome = question(reading, workspace)
        return {**found, "answer": await _explained(ls, outcome, work)}
    except NoEngineError:
        return {**found, "message": ls.status.status.message or "no model is loaded"}
    except MidlineError as error:
        LOGGER.info("%s", error, exc_info=error.__cause__)
        return {**found, "message": str(error)}
    except asyncio.CancelledError:
        work.abandon()
        raise
    finally:
        bar.end()


def _picture_of(request: Any) -> tuple[bytes | Path, str]:
    if isinstance(request, Mapping):
        path, data = request.get("path"), request.get("data")
        if isinstance(path, str) and path:
            return Path(path).expanduser(), Path(path).name
        if isinstance(data, str) and data:
            try:
                return base64.b64decode(data, validate=True), "the picture"
            except binascii.Error:
                pass
    raise JsonRpcInvalidParams("midline.explainImage takes an object with a path, or Base64 data")


def _workspace(ls: MidlineServer, request: Mapping[str, Any]) -> Workspace:
    texts = {
        path.resolve(): document.text
        for uri, document in ls.session.documents.items()
        if (path := file_path(uri)) is not None
    }
    here = file_path(request.get("uri") or "")
    if here is None:
        folders = [file_path(folder.uri) for folder in ls.workspace.folders.values()]
        here = next((path for path in folders if path is not None), None)
    if here is None:
        raise MidlineError("no folder is open; open the project that the picture is about")
    return Workspace.around(here.resolve(), texts)


def _read(
    picture: bytes | Path, name: str, workspace: Workspace, cancel: CancelFlag
) -> ScreenReading:
    from midline.model.vision.opening import decode_picture, open_picture

    opened = open_picture(picture) if isinstance(picture, Path) else decode_picture(picture, name)
    return read_screenshot(opened, workspace, cancel=cancel)


def _shown(reading: ScreenReading, workspace: Workspace) -> dict[str, Any]:
    places = [{"uri": p.path.as_uri(), "line": p.line - 1, "text": p.text} for p in reading.places]
    return {**reading.as_json(workspace), "places": places}


async def _explained(ls: MidlineServer, outcome: Ask | Answer, work: WritingWork) -> str:
    if isinstance(outcome, Answer):
        return outcome.text

    def ask(engine: "Engine") -> str:
        answer = run_ask(engine, outcome, cancel=work.flag)
        assert isinstance(answer, Answer)
        return answer.text

    await ls.load_settled.wait()
    answer = await asyncio.wrap_future(ls.engine.run(ask, work))
    if answer is None:
        raise MidlineError("it was stopped before the model had answered")
    return answer
