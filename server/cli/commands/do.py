"""Do what a sentence says: rename, explain, document, find, test .. in the project here.

What was understood is shown first. An edit is shown as a diff and applied after a yes, or with
--yes; a command is run likewise. Settings, pausing and the model change at once. --at says what
"this" and "here" mean, --dry-run shows what is understood and does nothing. One command at a time,
in English; quote names that have spaces.

examples:
  midline do "rename foo to bar in utils.py"
  midline do "explain what parse_header does"
  midline do "extract this into read_rows" --at app.py:10-20 --yes
  midline do "fix this error: IndexError: list index out of range" --at app.py:31
  midline do "write tests for parse_header"
  midline do "run the tests in tests/test_app.py"
  midline do "pause for 10 minutes"
  midline do "search for TODO in src" --dry-run
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from midline.model.catalog.catalog import DEFAULT_MODEL, find_entry
from midline.model.errors import MidlineError, UsageError
from midline.server.cli.generation_arguments import add_threads_argument, cancelled_by_ctrl_c
from midline.server.cli.generation_output import write_text
from midline.server.cli.standard_streams import say
from midline.server.lsp.settings import option_fields, resolve, without_nulls
from midline.server.routing.actions.control import switched_languages
from midline.server.routing.edits import Edit, apply, diff_of
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
from midline.server.user_settings import read_user_settings, write_user_settings

if TYPE_CHECKING:
    from midline.model.engines.base import Engine

_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<first>\d{1,9})(?:-(?P<last>\d{1,9}))?)?", re.DOTALL)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sentence and the options."""
    add = parser.add_argument
    add("text", nargs="+", metavar="TEXT", help="what to do, in English; quoted or as it is")
    add("--at", metavar="FILE[:LINE[-LINE]]", help='what "this" and "here" mean')
    add("--dry-run", action="store_true", help="print what was understood, as JSON, and stop")
    add("--yes", action="store_true", help="apply edits and run commands without asking")
    add("--json", action="store_true", help="print the frame and its outcome as one JSON object")
    add("--model", metavar="NAME", help=f"the model that writes (the setting, or {DEFAULT_MODEL})")
    add_threads_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Understand the sentence, show it, and do it."""
    from midline.server.routing.reading import ProjectReader

    cursor = _cursor(args.at)
    workspace = Workspace.around(cursor.path if cursor else Path.cwd())
    frame = read_frame(_sentence(args.text), ProjectReader(workspace))
    if args.dry_run:
        write_text(json.dumps(frame.as_json()) + "\n")
        return 0
    say(frame.sentence())
    call = _Call(args, frame, workspace, cursor)
    return call.show(call.router.act(frame))


def _sentence(words: list[str]) -> str:
    """One sentence of what the shell has cut; a word with a space in it is quoted again."""
    if len(words) == 1:
        return words[0]
    return " ".join(f'"{word}"' if " " in word else word for word in words)


class _Call:
    """One call of the command: what it works on, and how its outcome is shown."""

    def __init__(
        self,
        args: argparse.Namespace,
        frame: Frame,
        workspace: Workspace,
        cursor: Cursor | None,
    ) -> None:
        self._args, self._frame, self.workspace = args, frame, workspace
        self._model = args.model or read_user_settings().get("model", DEFAULT_MODEL)
        self.router = Router(self.workspace, [*option_fields()], self._model, cursor)

    def show(self, outcome: Outcome) -> int:
        """Show or carry out an outcome; the exit status."""
        match outcome:
            case Ask() | CompleteAt():
                return self.show(self._written(outcome))
            case Edit():
                return self._edit(outcome)
            case Places():
                return self._places(outcome)
            case ShellCommand():
                return self._command(outcome)
            case Control():
                return self._control(outcome)
            case Answer():
                self._print({"answer": outcome.text}, outcome.text)
        return 0

    def _print(self, fields: dict[str, Any], text: str) -> None:
        if self._args.json:
            text = json.dumps({"frame": self._frame.as_json(), **fields})
        write_text(text if text.endswith("\n") else f"{text}\n")

    def _agreed(self, what: str, question: str) -> bool:
        if self._args.yes:
            return True
        if self._args.json or not sys.stdin or not sys.stdin.isatty():
            say(f"midline: nothing was done, since nobody was there to ask; --yes does it ({what})")
            return False
        print(f"{question} [y/N] ", end="", file=sys.stderr, flush=True)
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _edit(self, edit: Edit) -> int:
        diff = diff_of(edit, self.workspace)
        if not diff:
            raise MidlineError("the answer is what is there already; nothing was changed")
        if not self._args.json:
            write_text(diff)
        agreed = self._agreed(edit.summary, f"{edit.summary}; apply?")
        if agreed:
            apply(edit, self.workspace)
            say(f"midline: {edit.summary}")
        if self._args.json:
            self._print({"summary": edit.summary, "diff": diff, "applied": agreed}, "")
        return 0

    def _places(self, found: Places) -> int:
        places = [
            {"path": self.workspace.name_of(p.path), "line": p.line, "text": p.text}
            for p in found.places
        ]
        lines = (f"{p['path']}:{p['line']}{': ' if p['text'] else ''}{p['text']}" for p in places)
        self._print({"places": places}, "\n".join(lines))
        return 0

    def _command(self, command: ShellCommand) -> int:
        line = shlex.join(command.words)
        self._print({"command": list(command.words)}, line)
        wish = f"run {line} in {command.folder}"
        if not self._agreed(wish, f"{wish}?"):
            return 0
        output = sys.stderr if self._args.json else None
        try:
            return subprocess.run(
                command.words, cwd=command.folder, check=False, stdout=output
            ).returncode
        except OSError as error:
            raise MidlineError(
                f"{command.words[0]} cannot be run: {error.strerror}; install it, or activate the "
                "environment that it is in"
            ) from error

    def _control(self, control: Control) -> int:
        current = read_user_settings()
        if control.status:
            self._print(
                {"status": _status(current, self._model)}, _status_text(current, self._model)
            )
            return 0
        changed = dict(control.settings)
        if isinstance(changed.get("disabledLanguages"), dict):
            changed["disabledLanguages"] = switched_languages(
                current.get("disabledLanguages", []), changed["disabledLanguages"]
            )
        changed = without_nulls(changed)
        problems = resolve(changed)[1]
        if problems:
            raise UsageError(problems[0])
        path = write_user_settings(changed, control.seconds)
        told = _told(changed, control.seconds)
        self._print({"settings": changed, "file": str(path)}, f"{told} ({path})")
        return 0

    def _written(self, outcome: Ask | CompleteAt) -> Edit | Answer:
        from midline.server.routing.engine_tasks import run_ask, run_completion

        engine = _load(self._model, self._args.threads, outcome.samples)
        with cancelled_by_ctrl_c() as cancel:
            if isinstance(outcome, CompleteAt):
                return run_completion(engine, outcome, self.workspace, cancel=cancel)
            return run_ask(engine, outcome, cancel=cancel)


def _load(model: str, threads: int | None, samples: int) -> "Engine":
    from midline.model.decoding.options import SamplingOptions
    from midline.model.engines.load import load_engine

    return load_engine(model, options=SamplingOptions.chosen(samples, None, None), threads=threads)


def _cursor(place: str | None) -> Cursor | None:
    """Where --at is; UsageError if that is no file."""
    if place is None:
        return None
    match = _PLACE.fullmatch(place)
    path = Path(match["file"]) if match else Path(place)
    if match is None or not path.is_file():
        raise UsageError(f"{place!r:.200} is no FILE or FILE:LINE or FILE:LINE-LINE of a file here")
    first = int(match["first"] or 1)
    last = int(match["last"] or first)
    return Cursor(path.resolve(), min(first, last), max(first, last), match["last"] is not None)


def _told(changed: dict[str, Any], seconds: float | None) -> str:
    """What has been changed, in words."""
    if "disabledLanguages" in changed:
        names = ", ".join(changed["disabledLanguages"])
        return f"completions are off in {names}" if names else "completions are on in all languages"
    if "enabled" not in changed:
        return ", ".join(f"{name} is {json.dumps(value)}" for name, value in changed.items())
    if changed["enabled"]:
        return "completions are on"
    return f"completions are paused{_for(seconds)}; `midline do resume` turns them on"


def _for(seconds: float | None) -> str:
    """A length of time as people say it: " for 10 minutes"."""
    if seconds is None:
        return ""
    sizes = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
    size, unit = next((s for s in sizes if seconds >= s[0] and seconds % s[0] == 0), (1, "second"))
    number = f"{seconds / size:g}"
    return f" for {number} {unit}{'' if number == '1' else 's'}"


def _status(current: dict[str, Any], model: str) -> dict[str, Any]:
    is_here = find_entry(model).is_here() if not model.endswith(".gguf") else Path(model).is_file()
    paused = current.get("enabled") is False
    return {"model": model, "is_here": is_here, "paused": paused, "settings": current}


def _status_text(current: dict[str, Any], model: str) -> str:
    status = _status(current, model)
    here = (
        "is here" if status["is_here"] else f"is not here (`midline model pull {model}` fetches it)"
    )
    changed = ", ".join(f"{name} {json.dumps(value)}" for name, value in current.items())
    paused = "completions are paused" if status["paused"] else "completions are on"
    return f"the model {model} {here}; {paused}; settings: {changed or 'all as they come'}"
