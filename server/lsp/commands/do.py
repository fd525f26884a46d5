"""midline.do: what a sentence asks for, shown first and done once the user has confirmed it.

`{text, uri, range?, confirm?}`. Without `confirm` the answer has the frame and, for what changes
something, `question`: what would be done. The same call with `confirm` does it. What only tells
something (explain, search, open, status ..) is answered at once.
"""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pygls.exceptions import JsonRpcInvalidParams

from midline.model.errors import MidlineError
from midline.server.context.projects import file_path
from midline.server.documents import Document
from midline.server.lsp.commands.pause import pause
from midline.server.lsp.commands.resume import resume
from midline.server.lsp.engine_thread import NoEngineError
from midline.server.lsp.engine_writing import written
from midline.server.lsp.loading import load_model
from midline.server.lsp.open_paths import cursor_of, documents_by_path, path_of
from midline.server.lsp.server import MidlineServer
from midline.server.lsp.settings import option_fields, resolve, without_nulls
from midline.server.routing.actions.control import switched_languages
from midline.server.routing.edits import Edit, changed_texts, check_syntax
from midline.server.routing.frame import Frame, read_frame
from midline.server.routing.outcome import (
    Answer,
    Ask,
    CompleteAt,
    Control,
    Outcome,
    Places,
    ShellCommand,
)
from midline.server.routing.router import Router
from midline.server.routing.targets import Cursor
from midline.server.routing.workspace import Workspace

if TYPE_CHECKING:
    from midline.model.cancellation import Cancellation
    from midline.model.engines.base import Engine, OnToken

LOGGER = logging.getLogger(__name__)
_TELLING = frozenset({"explain", "translate"})
"""Intents whose prompt ends in a text to read."""


async def do(ls: MidlineServer, request: Any) -> dict[str, Any]:
    """The frame and what came of it; `message` says in one sentence what is missing or wrong."""
    task = await _begin(ls, request)
    try:
        router = task.router(ls)
        task.frame = await asyncio.to_thread(_understood, task.text, router.workspace)
        outcome = await asyncio.to_thread(router.act, task.frame)
        return task.answer(**await _finish(ls, task, outcome))
    except NoEngineError:
        return task.answer(message=ls.status.status.message or "no model is loaded")
    except MidlineError as error:
        LOGGER.info("%s", error, exc_info=error.__cause__)
        return task.answer(message=str(error))


def _understood(text: str, workspace: Workspace) -> Frame:
    from midline.server.routing.reading import ProjectReader

    return read_frame(text, ProjectReader(workspace))


@dataclass
class _Task:
    """One call: the sentence, where it was said, and what is open."""

    text: str
    confirmed: bool
    cursor: Cursor | None
    documents: dict[Path, Document]
    frame: Frame | None = None
    workspace: Workspace | None = None

    def router(self, ls: MidlineServer) -> Router:
        """What decides the action, with the texts as they are in the editor."""
        texts = {path: document.text for path, document in self.documents.items()}
        root = self.cursor.path if self.cursor else _root(ls)
        self.workspace = Workspace.around(root, texts)
        return Router(self.workspace, [*option_fields()], ls.session.settings.model, self.cursor)

    def answer(self, **more: Any) -> dict[str, Any]:
        """What the client gets."""
        frame = self.frame
        shown = {"frame": frame.as_json(), "sentence": frame.sentence()} if frame else {}
        return {"frame": None, "sentence": "", **shown, **more}


async def _begin(ls: MidlineServer, request: Any) -> _Task:
    if not isinstance(request, Mapping) or not isinstance(request.get("text"), str):
        raise JsonRpcInvalidParams("midline.do takes an object with a text, a uri and a range")
    documents = documents_by_path(ls.session.documents.values())
    uri = request.get("uri") or ""
    document, path = ls.session.documents.get(uri), file_path(uri)
    path = path_of(document) if document else path.resolve() if path else None
    cursor = cursor_of(path, request.get("range")) if path else None
    return _Task(request["text"], request.get("confirm") is True, cursor, documents)


def _root(ls: MidlineServer) -> Path:
    folders = ls.workspace.folders.values()
    roots = [path for folder in folders if (path := file_path(folder.uri)) is not None]
    if not roots:
        raise MidlineError("no folder is open; open the file that the sentence is about")
    return roots[0]


async def _finish(ls: MidlineServer, task: _Task, outcome: Outcome) -> dict[str, Any]:
    """What an outcome is to the client; what changes something waits for the confirmation."""
    match outcome:
        case Places():
            places = [
                {"uri": p.path.as_uri(), "line": p.line - 1, "text": p.text} for p in outcome.places
            ]
            return {"places": places, "go": outcome.go}
        case Answer():
            return {"answer": outcome.markdown}
        case ShellCommand():
            return {
                "command": list(outcome.words),
                "folder": outcome.folder.as_uri(),
                "question": "" if task.confirmed else f"run {' '.join(outcome.words)}?",
            }
        case Control():
            return await _control(ls, task, outcome)
        case Edit():
            return await _edit(ls, task, outcome)
    assert task.frame is not None
    if task.frame.intent not in _TELLING and not task.confirmed:
        return {"question": f"{task.frame.sentence()}?"}
    return await _finish(ls, task, await _written(ls, task, outcome))


async def _edit(ls: MidlineServer, task: _Task, edit: Edit) -> dict[str, Any]:
    from midline.server.lsp.applied_edit import applied_edit

    assert task.workspace is not None
    check_syntax(changed_texts(edit, task.workspace))
    if not task.confirmed:
        return {"question": f"{edit.summary}?", "files": [path.as_uri() for path in edit.paths()]}
    return await applied_edit(ls, edit, task.workspace, task.documents)


async def _written(ls: MidlineServer, task: _Task, outcome: Ask | CompleteAt) -> Edit | Answer:
    """What the model writes."""
    from midline.server.routing.engine_tasks import run_ask, run_completion

    workspace = task.workspace
    assert workspace is not None and task.frame is not None

    def write(engine: "Engine", cancel: "Cancellation", on_token: "OnToken") -> Edit | Answer:
        if isinstance(outcome, CompleteAt):
            return run_completion(engine, outcome, workspace, cancel=cancel)
        return run_ask(engine, outcome, cancel=cancel, on_token=on_token)

    return await written(ls, f"Midline: {task.frame.sentence()}", write)


async def _control(ls: MidlineServer, task: _Task, control: Control) -> dict[str, Any]:
    assert task.frame is not None
    if control.status:
        return {"status": ls.status.status.as_params(), "answer": ls.status.status.message}
    if task.frame.intent in ("pause", "resume") and "enabled" in control.settings:
        return _pause(ls, control)
    changed = dict(control.settings)
    languages = changed.get("disabledLanguages")
    if not task.confirmed:
        return {"question": f"{_language_wish(languages) or task.frame.sentence()}?"}
    if isinstance(languages, dict):
        changed["disabledLanguages"] = switched_languages(
            ls.session.settings.disabled_languages, languages
        )
    changed = without_nulls(changed)
    settings, problems = resolve(changed)
    if problems:
        raise MidlineError(problems[0])
    names = option_fields()
    before = ls.session.settings
    ls.session.use(
        replace(before, **{names[name]: getattr(settings, names[name]) for name in changed})
    )
    if ls.session.settings.model != before.model:
        await load_model(ls)
    ls.status.tell()
    told = f"{', '.join(changed)} is set until the editor sends its settings again"
    return {"settings": changed, "summary": told}


def _language_wish(change: Any) -> str:
    """What is to become of the completions in a language, "" for another setting."""
    if not isinstance(change, dict):
        return ""
    return f"turn completions in {', '.join(change.values())} {'off' if 'add' in change else 'on'}"


def _pause(ls: MidlineServer, control: Control) -> dict[str, Any]:
    """Pause or resume, for as long as was said."""
    if control.settings["enabled"]:
        return {"status": resume(ls), "summary": "completions go on"}
    status = pause(ls)
    if control.seconds is not None:
        asyncio.get_running_loop().call_later(control.seconds, resume, ls)
    until = f" for {control.seconds:g} seconds" if control.seconds is not None else ""
    return {"status": status, "summary": f"completions are paused{until}"}
