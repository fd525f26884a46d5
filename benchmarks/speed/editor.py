"""From a key to ghost text on the screen of a real editor, beside the server's own time.

Lines of a source file are typed behind its beginning. A key counts if there was no ghost text
before it and some within 2.5 seconds; where ghost text stays because the key agrees with it, the
editor needs no server.
"""

import argparse
import importlib
import statistics
from typing import Any

from midline.benchmarks.speed import flags
from midline.benchmarks.speed.editors import EDITORS
from midline.benchmarks.speed.editors.timing import ServerOptions, Timing, typed_text
from midline.benchmarks.speed.editors.vscode import ROOT
from midline.benchmarks.speed.report import report
from midline.model.errors import MidlineError

TYPED_FILE = ROOT / "server" / "documents.py"
TYPED_LINES = 90
SAMPLES = 50


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the editor and the number of lines to type at most."""
    flags.add(parser, lines=TYPED_LINES)
    parser.add_argument("--editor", choices=EDITORS, required=True, help="the editor to type in")
    parser.add_argument("--keys", type=int, default=SAMPLES, help=f"keys to time ({SAMPLES})")


def run(args: argparse.Namespace) -> int:
    """Type in the editor and print the medians."""
    flags.check(args)
    server = ServerOptions(flags.model_path(args), args.threads)
    module = importlib.import_module(f"midline.benchmarks.speed.editors.{args.editor}")
    timing = module.measure(server, typed_text(TYPED_FILE, args.lines), args.keys)
    return report("editor", args, found(timing), lines)


def found(timing: Timing) -> dict[str, Any]:
    """The figures; MidlineError if no key brought ghost text."""
    if not timing.screen_ms:
        raise MidlineError(f"no key brought ghost text in {timing.editor}; see its server's log")
    return {
        "versions": {"editor": timing.editor, **timing.versions},
        "keys": len(timing.screen_ms),
        "silent_keys": timing.silent,
        "screen_milliseconds": timing.screen_ms,
        "server_milliseconds": timing.server_ms,
        "median_screen_milliseconds": statistics.median(timing.screen_ms),
        "median_server_milliseconds": (
            statistics.median(timing.server_ms) if timing.server_ms else None
        ),
    }


def lines(result: dict[str, Any]) -> list[str]:
    """One sentence each for the screen and for the server."""
    screen = sorted(result["screen_milliseconds"])
    slow = screen[min(len(screen) - 1, int(0.95 * len(screen)))]
    server = result["median_server_milliseconds"]
    told = "not told" if server is None else f"{server:.0f} ms"
    return [
        f"{result['versions']['editor']}, {result['model']}",
        f"key to ghost text on the screen: median {result['median_screen_milliseconds']:.0f} ms, "
        f"95th percentile {slow:.0f} ms, {result['keys']} keys",
        f"the server's own time of these answers: median {told}",
        f"keys without an answer: {result['silent_keys']}",
    ]
