"""How long a window waits: for `initialize`, and for a completion after a kill of its engine.

With the engine process running and without one, a window is opened and says hello. Then the engine
process is killed again and again, as by the system when memory is short, and the same window asks
until it has a completion.
"""

import argparse
import asyncio
import os
import signal
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

from lsprotocol import types
from pygls.lsp.client import LanguageClient

from midline.benchmarks.quality.typing.editor import LspEditor, serving
from midline.benchmarks.speed import flags
from midline.benchmarks.speed.report import report
from midline.benchmarks.speed.shared_engine import SERVE, asked, engine_processes
from midline.model.errors import MidlineError
from midline.model.paths import HOME_VARIABLE
from midline.model.threads import thread_count

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "server" / "documents.py"
RUNS = 10
LIFE_SECONDS = 2.0
"""How long an engine process has been of use before it is killed, at least."""
MOST_SECONDS = 60.0
_LOOK_SECONDS = 0.01


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the number of kills."""
    flags.add(parser, runs=RUNS)


def run(args: argparse.Namespace) -> int:
    """Open windows, kill engines, and print the times."""
    flags.check(args)
    options = {"model": str(flags.model_path(args)), "threads": thread_count(args.threads)}
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(_measure(Path(folder), options, args.runs))
    return report("recovery", args, {"versions": {}, **found}, lines)


async def _measure(home: Path, options: dict[str, Any], runs: int) -> dict[str, Any]:
    hello: dict[str, list[float]] = {"without": [], "with": []}
    back = []
    async with serving(home, options, command=SERVE) as editor:
        text = FILE.read_text("utf-8")
        for number in range(runs):
            hello["with"].append(await _hello(home))
            begun = f"\n\ndef add_{number}(first, second):\n    return "
            await editor.open(FILE.as_uri(), text + begun, "python")
            await _has_completion(editor)
            await asyncio.sleep(LIFE_SECONDS)
            back.append(await _back(home, editor))
    engine_processes(home, "stop")
    for _ in range(runs):
        hello["without"].append(await _hello(home))
        engine_processes(home, "stop")
    return {
        "initialize_seconds": hello,
        "back_seconds": back,
        "median_back_seconds": statistics.median(back),
        "most_back_seconds": max(back),
        **{f"median_initialize_{name}": statistics.median(each) for name, each in hello.items()},
    }


async def _hello(home: Path) -> float:
    """Seconds from the start of `midline serve` to its answer to `initialize`."""
    client = LanguageClient("midline-bench", "1")
    began = time.perf_counter()
    await client.start_io(*SERVE, env={**os.environ, HOME_VARIABLE: str(home)})
    await client.initialize_async(types.InitializeParams(types.ClientCapabilities()))
    seconds = time.perf_counter() - began
    await client.shutdown_async(None)
    client.exit(None)
    await client.stop()  # type: ignore[no-untyped-call]
    return seconds


async def _back(home: Path, editor: LspEditor) -> float:
    """Seconds from the kill of the engine process to a completion."""
    for engine in engine_processes(home, "status"):
        os.kill(engine["pid"], signal.SIGKILL)
    began = time.perf_counter()
    await _has_completion(editor)
    return time.perf_counter() - began


async def _has_completion(editor: LspEditor) -> None:
    """Ask at the end of the file until there is a completion. Raises MidlineError without one."""
    kind, began = types.InlineCompletionTriggerKind.Automatic, time.perf_counter()
    offset = len(editor.documents[FILE.as_uri()].text)
    while time.perf_counter() - began < MOST_SECONDS:
        found = await asked(editor, FILE.as_uri(), offset, kind)
        if getattr(found, "items", found):
            return
        await asyncio.sleep(_LOOK_SECONDS)
    raise MidlineError(f"no completion came within {MOST_SECONDS:g} s; see {editor.read.log}")


def lines(result: dict[str, Any]) -> list[str]:
    """The result as printed."""
    return [
        f"initialize is answered {result['median_initialize_with']:.2f} s after the start of a "
        f"window where the engine runs, {result['median_initialize_without']:.2f} s where it does "
        "not (medians)",
        f"after a kill of the engine a completion is back in {result['median_back_seconds']:.2f} s "
        f"(median), at most {result['most_back_seconds']:.2f} s of {len(result['back_seconds'])}",
    ]
