"""midline.action: runs what `textDocument/codeAction` offered.

`{action, uri, version, range, diagnostic?, language?, choice?, partialResultToken?}`. Edits are
applied by the client, as one step to undo; what only tells something is `{answer}` in Markdown;
what needs a choice is `{choices: [{label, text}]}`, and the same call with `choice`, a number from
0, makes it.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcInvalidParams

from midline.model.errors import MidlineError
from midline.server.documents import Document
from midline.server.lsp.applied_edit import applied_edit
from midline.server.lsp.code_sites import no_action_because, site_at
from midline.server.lsp.commands.failure import CommandFailedError
from midline.server.lsp.engine_thread import NoEngineError
from midline.server.lsp.engine_writing import written
from midline.server.lsp.open_paths import cursor_of, documents_by_path, path_of
from midline.server.lsp.server import MidlineServer
from midline.server.routing.code_actions import LANGUAGES, NAMES, Site, action_frame, title_of
from midline.server.routing.edits import Edit
from midline.server.routing.outcome import Answer, Ask
from midline.server.routing.router import Router
from midline.server.routing.workspace import Workspace

if TYPE_CHECKING:
    from midline.model.cancellation import Cancellation
    from midline.model.engines.base import Engine, OnToken

LOGGER = logging.getLogger(__name__)


async def action(ls: MidlineServer, request: Any) -> dict[str, Any]:
    """What came of the action; CommandFailedError with one sentence if nothing did."""
    task = _read(ls, request)
    try:
        return await _run(ls, task)
    except NoEngineError as error:
        reason = ls.status.status.message or "no model is loaded"
        raise CommandFailedError(f"Midline: {reason}") from error
    except MidlineError as error:
        LOGGER.info("%s", error, exc_info=error.__cause__)
        raise CommandFailedError(f"Midline: {error}") from error


@dataclass(frozen=True)
class _Task:
    """One call, and the documents as they were when the call came."""

    name: str
    document: Document
    documents: Mapping[Path, Document]
    request: Mapping[str, Any]
    workspace: Workspace

    @property
    def token(self) -> int | str | None:
        """The client's token for the text while it grows."""
        token = self.request.get("partialResultToken")
        return token if isinstance(token, int | str) else None

    @property
    def message(self) -> str:
        """What the diagnostic says."""
        diagnostic = self.request.get("diagnostic")
        return str(diagnostic.get("message", "")) if isinstance(diagnostic, Mapping) else ""

    @property
    def choice(self) -> int | None:
        """The number of what was chosen."""
        choice = self.request.get("choice")
        return choice if isinstance(choice, int) and not isinstance(choice, bool) else None


def _read(ls: MidlineServer, request: Any) -> _Task:
    if not isinstance(request, Mapping) or request.get("action") not in NAMES:
        raise JsonRpcInvalidParams(
            f"midline.action takes an object with a uri, a range and an action of "
            f"{', '.join(sorted(NAMES))}"
        )
    document = ls.session.documents.get(str(request.get("uri")))
    reason = no_action_because(ls, document)
    if document is None or reason:
        raise CommandFailedError(f"Midline: {reason}")
    if request.get("version") not in (None, document.version):
        raise CommandFailedError(
            "Midline: the text has changed since the action was offered; ask for it again"
        )
    documents = documents_by_path(ls.session.documents.values())
    texts = {path: document.text for path, document in documents.items()}
    workspace = Workspace.around(path_of(document), texts)
    return _Task(request["action"], document, documents, request, workspace)


async def _run(ls: MidlineServer, task: _Task) -> dict[str, Any]:
    path = path_of(task.document)
    site = await asyncio.to_thread(
        site_at, task.workspace, cursor_of(path, task.request.get("range"))
    )
    if task.name == "complete":
        return await _complete(ls, task, site)
    language = task.request.get("language")
    if task.name == "translate" and not isinstance(language, str):
        if task.choice is None:
            return {"choices": [{"label": name, "text": ""} for name in LANGUAGES]}
        language = _chosen(LANGUAGES, task.choice)
    frame = action_frame(task.name, site, task.message, str(language or ""))
    router = Router(task.workspace, [], ls.session.settings.model, site.cursor)
    ask = await asyncio.to_thread(router.act, frame)
    assert isinstance(ask, Ask)
    outcome = await _written(ls, task, site, ask)
    if isinstance(outcome, Edit):
        return await applied_edit(ls, outcome, task.workspace, task.documents)
    return {"answer": outcome.markdown}


async def _written(ls: MidlineServer, task: _Task, site: Site, ask: Ask) -> Edit | Answer:
    from midline.server.routing.engine_tasks import run_ask

    def write(engine: "Engine", cancel: "Cancellation", on_token: "OnToken") -> Edit | Answer:
        return run_ask(engine, ask, cancel=cancel, on_token=on_token)

    return await written(ls, f"Midline: {title_of(task.name, site)}", write, task.token)


def _chosen(choices: "tuple[str, ...] | list[str]", number: int) -> str:
    if not 0 <= number < len(choices):
        raise MidlineError(f"there is no choice {number}; there are {len(choices)}, from 0 on")
    return choices[number]


async def _complete(ls: MidlineServer, task: _Task, site: Site) -> dict[str, Any]:
    """Candidates for the body; with a choice among them, the edit."""
    from midline.server.routing.bodies import body_place, run_bodies

    if site.definition is None:
        raise MidlineError("there is no function at the cursor")
    place = body_place(site.definition)
    key = (task.document, place)
    if task.choice is not None:
        bodies = ls.offered.get(key)
        if bodies is None:
            raise MidlineError("these candidates are no longer known; ask for the action again")
        edit = place.edit(_chosen(bodies, task.choice))
        return await applied_edit(ls, edit, task.workspace, task.documents)

    def write(engine: "Engine", cancel: "Cancellation", on_token: "OnToken") -> list[str]:
        return run_bodies(engine, place, task.workspace, cancel, on_token)

    bodies = await written(ls, f"Midline: {title_of(task.name, site)}", write, task.token)
    ls.offered = {key: bodies}
    return {"choices": [{"label": _label(body), "text": body} for body in bodies]}


def _label(body: str) -> str:
    lines = [line.strip() for line in body.strip().splitlines() if line.strip()]
    more = f" (+{len(lines) - 1} lines)" if len(lines) > 1 else ""
    return lines[0][:60] + more
