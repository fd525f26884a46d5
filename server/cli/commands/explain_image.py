"""Read a screenshot of an error and say what failed, where, and why.

The picture is read on this machine. What failed is looked up in the project, and the model explains
it with the code of that place. - reads the picture from standard input, for instance from the
clipboard. --no-answer leaves the model out.

examples:
  midline explain-image error.png
  midline explain-image error.png --project ../service --json
  wl-paste | midline explain-image - --no-answer
"""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from midline.model.catalog.catalog import DEFAULT_MODEL
from midline.model.errors import UsageError
from midline.server.cli.generation_arguments import add_threads_argument, cancelled_by_ctrl_c
from midline.server.cli.generation_output import write_text
from midline.server.cli.standard_streams import say
from midline.server.routing.outcome import Answer, Ask
from midline.server.routing.workspace import Workspace
from midline.server.user_settings import read_user_settings

if TYPE_CHECKING:
    from midline.model.cancellation import Cancellation
    from midline.model.vision.opening import Picture


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the picture and the options."""
    add = parser.add_argument
    add("picture", metavar="PICTURE", help="PNG, JPEG, GIF, WebP or BMP; - is standard input")
    add("--project", type=Path, metavar="DIR", help="where the code is (the project here)")
    add("--no-answer", action="store_true", help="what was read and where it is, without the model")
    add("--text", action="store_true", help="print the text that was read, and stop")
    add("--json", action="store_true", help="print one JSON object")
    add(
        "--model", metavar="NAME", help=f"the model that explains (the setting, or {DEFAULT_MODEL})"
    )
    add_threads_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Read, find, explain."""
    from midline.server.routing.screen_failure import question, read_screenshot

    folder = args.project or Path.cwd()
    if not folder.is_dir():
        raise UsageError(f"{folder} is no folder")
    workspace = Workspace.around(folder)
    with cancelled_by_ctrl_c() as cancel:
        reading = read_screenshot(
            _picture(args.picture), workspace, threads=args.threads, cancel=cancel
        )
        fields = reading.as_json(workspace)
        if args.text:
            write_text(json.dumps(fields) + "\n" if args.json else reading.text + "\n")
            return 0
        outcome = question(reading, workspace)
        if not args.json:
            say(f"midline: {reading.headline(workspace)}")
        answer = "" if args.no_answer else _answer(args, outcome, cancel)
    if args.json:
        write_text(json.dumps({**fields, "answer": answer or None}) + "\n")
    else:
        places = "".join(f"{p['path']}:{p['line']}: {p['text']}\n" for p in fields["places"])
        write_text(places + (f"\n{answer}\n" if answer else ""))
    return 0


def _picture(name: str) -> "Picture":
    from midline.model.vision.opening import MAX_BYTES, decode_picture, open_picture

    if name != "-":
        return open_picture(Path(name))
    return decode_picture(sys.stdin.buffer.read(MAX_BYTES + 1)[:MAX_BYTES], "the picture")


def _answer(args: argparse.Namespace, outcome: Ask | Answer, cancel: "Cancellation") -> str:
    if isinstance(outcome, Answer):
        return outcome.text
    from midline.model.engines.load import load_engine
    from midline.server.routing.engine_tasks import run_ask

    model = args.model or read_user_settings().get("model", DEFAULT_MODEL)
    answer = run_ask(load_engine(model, threads=args.threads), outcome, cancel=cancel)
    assert isinstance(answer, Answer)
    return answer.text
