"""Several windows on one engine process: their memory, and typing beside others that generate.

Three editors have a project each. In the first, lines are typed alone, while another window asks
for completions by hand without a pause, and while an HTTP client generates long texts, by turns:
what a key waits for, from its request to its answer. Each block of keys is typed under every
condition, in an order that rotates, so that none has the prefix cache to itself.
"""

import argparse
import asyncio
import json
import os
import random
import re
import statistics
import tempfile
import time
import urllib.request
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lsprotocol import types

from midline.benchmarks.quality.typing.editor import LspEditor, serving
from midline.benchmarks.speed import flags
from midline.benchmarks.speed.background_load import BackgroundLoad, warnings
from midline.benchmarks.speed.report import report
from midline.benchmarks.speed.shared_engine import SERVE, asked, engine_processes
from midline.model.errors import MidlineError
from midline.model.paths import HOME_VARIABLE
from midline.model.threads import thread_count

ROOT = Path(__file__).resolve().parents[2]
PROJECTS = ("server/lsp", "model/completion", "benchmarks/mbxp")
CONDITIONS = ("alone", "window", "http")
KEY_SECONDS, PAUSE_SECONDS = 0.18, 0.7
PAUSES = 0.15
BLOCKS, KEYS = 9, 40
SEED = 11
_HTTP_TOKENS, _PROMPT_BYTES = 160, 4000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the number of blocks and keys."""
    flags.add(parser)
    parser.add_argument("--blocks", type=int, default=BLOCKS, help=f"blocks of keys ({BLOCKS})")
    parser.add_argument("--keys", type=int, default=KEYS, help=f"keys of a block ({KEYS})")


def run(args: argparse.Namespace) -> int:
    """Open three windows, type in one of them, and print memory and latencies."""
    flags.check(args)
    path, threads = flags.model_path(args), thread_count(args.threads)
    options = {"model": str(path), "threads": threads, "answerMilliseconds": 0}
    before = BackgroundLoad.now([os.getpid()])
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(_measure(Path(folder), options, args.blocks, args.keys))
    after = BackgroundLoad.now([os.getpid()])
    busy = after.since(before) - found.pop("own_cores") if before and after else None
    file_bytes = path.stat().st_size
    found = {"busy_elsewhere_cores": busy, "file_bytes": file_bytes, "versions": {}, **found}
    found["over_file_megabytes"] = (found["resident_bytes"]["total"] - file_bytes) / 1e6
    return report("windows", args, found, lines)


@dataclass
class Windows:
    """Three editors, the address of an HTTP server, and the engine process that all share."""

    editors: list[LspEditor]
    http: str
    processes: dict[str, int]
    sources: list[list[Path]] = field(default_factory=list)

    def texts(self, project: int) -> list[str]:
        """The files of a project."""
        return [path.read_text("utf-8") for path in self.sources[project]]


async def _measure(folder: Path, options: dict[str, Any], blocks: int, keys: int) -> dict[str, Any]:
    async with _windows(folder, options) as windows:
        began, cpu = time.monotonic(), _cpu(windows)
        latencies: dict[str, list[list[float]]] = {name: [] for name in CONDITIONS}
        for block in range(blocks):
            for turn in range(len(CONDITIONS)):
                name = CONDITIONS[(block + turn) % len(CONDITIONS)]
                async with _load(windows, name):
                    latencies[name].append(await _type(windows, block, keys))
                await windows.editors[0].settle()
        served = [await _answers(editor) for editor in windows.editors]
        resident = {name: _resident(pid) for name, pid in windows.processes.items()}
        own_cores = (_cpu(windows) - cpu) / (time.monotonic() - began)
    resident["total"] = sum(resident.values())
    return {
        "windows": len(served),
        "windows_served": sum(served),
        "resident_bytes": resident,
        "own_cores": own_cores,
        "latency_ms": latencies,
        "summary": {name: _summary(found) for name, found in latencies.items()},
        **_ratios(latencies),
    }


def _ratios(latencies: dict[str, list[list[float]]]) -> dict[str, Any]:
    """The 95th percentile beside each load, relative to the one alone."""
    alone = _percentile(latencies["alone"])
    return {f"{name}_ratio": _percentile(latencies[name]) / alone for name in CONDITIONS[1:]}


def _percentile(blocks: list[list[float]], share: float = 0.95) -> float:
    pooled = sorted(value for block in blocks for value in block)
    return pooled[min(len(pooled) - 1, int(share * len(pooled)))]


def _summary(blocks: list[list[float]]) -> dict[str, float]:
    pooled = [value for block in blocks for value in block]
    return {
        "keys": len(pooled),
        "median_ms": statistics.median(pooled),
        "p95_ms": _percentile(blocks),
        "most_ms": max(pooled),
    }


@asynccontextmanager
async def _windows(folder: Path, options: dict[str, Any]) -> AsyncIterator[Windows]:
    """Three windows that have opened their projects; the engine process ends with them."""
    async with AsyncExitStack() as stack:
        home = folder / "home"
        home.mkdir()
        stack.callback(engine_processes, home, "stop")
        editors = [
            await stack.enter_async_context(serving(home, options, command=SERVE)) for _ in PROJECTS
        ]
        http = await stack.enter_async_context(_http(home))
        (engine,) = engine_processes(home, "status")
        processes = {"engine": engine["pid"]}
        processes |= dict(zip(["spare"], _children(engine["pid"]), strict=False))
        for number, editor in enumerate(editors):
            assert editor.client._server is not None
            processes[f"window {number + 1}"] = editor.client._server.pid
        windows = Windows(editors, http, processes)
        for editor, project in zip(editors, PROJECTS, strict=True):
            windows.sources.append(sorted((ROOT / project).glob("*.py"), key=_size)[-8:])
            for path in windows.sources[-1]:
                await editor.open(path.as_uri(), path.read_text("utf-8"), "python")
        yield windows


def _size(path: Path) -> int:
    return path.stat().st_size


@asynccontextmanager
async def _http(home: Path) -> AsyncIterator[str]:
    """The address at which the engine process serves HTTP."""
    process = await asyncio.create_subprocess_exec(
        *SERVE, "--http", "127.0.0.1:0", stderr=asyncio.subprocess.PIPE,
        env={**os.environ, HOME_VARIABLE: str(home)},
    )  # fmt: skip
    try:
        assert process.stderr is not None
        said = (await process.stderr.readline()).decode()
        address = re.search(r"http://\S+", said)
        if address is None:
            raise MidlineError(f"HTTP is not served: {said.strip()}")
        yield address[0]
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def _load(windows: Windows, name: str) -> AsyncIterator[None]:
    """While another client generates without a pause, or nobody does."""
    loads: dict[str, Callable[[Windows], Any]] = {"window": _by_hand, "http": _generated}
    if name not in loads:
        yield
        return

    over = asyncio.Event()

    async def again() -> None:
        while not over.is_set():
            await loads[name](windows)

    task = asyncio.create_task(again())
    try:
        await asyncio.sleep(0.5)
        yield
    finally:
        over.set()
        await task


async def _by_hand(windows: Windows) -> None:
    """A completion requested by hand in the second window, at another place each time."""
    editor, dice = windows.editors[1], random.Random(time.perf_counter_ns())
    path = dice.choice(windows.sources[1])
    offset = dice.randrange(len(editor.documents[path.as_uri()].text))
    await asked(editor, path.as_uri(), offset, types.InlineCompletionTriggerKind.Invoked)


async def _generated(windows: Windows) -> None:
    """A long text by HTTP, of a prompt that nobody had before."""
    dice = random.Random(time.perf_counter_ns())
    text = dice.choice(windows.texts(2))
    start = dice.randrange(max(1, len(text) - _PROMPT_BYTES))
    body = {"prompt": text[start : start + _PROMPT_BYTES], "max_tokens": _HTTP_TOKENS}
    await asyncio.to_thread(_post, f"{windows.http}/v1/completions", body)


def _post(url: str, body: dict[str, Any]) -> Any:
    request = urllib.request.Request(url, json.dumps(body).encode())
    with urllib.request.urlopen(request, timeout=300) as answer:
        return json.loads(answer.read())


async def _type(windows: Windows, block: int, keys: int) -> list[float]:
    """Milliseconds from the request of each key to its answer."""
    editor, dice = windows.editors[0], random.Random(SEED + block)
    path = windows.sources[0][block % len(windows.sources[0])]
    source = path.read_text("utf-8").split("\n")
    first = dice.randrange(len(source) // 3, len(source) // 2)
    before = "\n".join(source[:first]) + "\n"
    written = "\n".join(line for line in source[first:] if line.strip())[:keys]
    await editor.open(path.as_uri(), before + "\n".join(source[first + 6 :]), "python")
    offset, found = len(before), []
    for key in written:
        began = time.perf_counter()
        _insert(editor, path.as_uri(), offset, key)
        offset += 1
        await asked(editor, path.as_uri(), offset, types.InlineCompletionTriggerKind.Automatic)
        seconds = time.perf_counter() - began
        found.append(seconds * 1e3)
        pause = PAUSE_SECONDS if dice.random() < PAUSES else KEY_SECONDS
        await asyncio.sleep(max(0.0, pause - seconds))
    return found


def _insert(editor: LspEditor, uri: str, offset: int, text: str) -> None:
    editor.uri = uri
    editor._edit(offset, offset, text)


async def _answers(editor: LspEditor) -> bool:
    """Whether a window has a completion where one is certain."""
    uri, text = "untitled:served.py", "def add(first, second):\n    return "
    await editor.open(uri, text, "python")
    kind = types.InlineCompletionTriggerKind.Invoked
    found = await asked(editor, uri, len(text), kind)
    return bool(getattr(found, "items", found))


def _cpu(windows: Windows) -> float:
    """Processor seconds of this process and of those of the windows."""
    pids = [os.getpid(), *windows.processes.values()]
    load = BackgroundLoad.now(pids)
    return load.ours if load else 0.0


def _resident(pid: int) -> int:
    """Resident bytes of a process, a page that several share counted once for all of them."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return 0
    return 1024 * sum(int(line.split()[1]) for line in rollup.splitlines() if line[:4] == "Pss:")


def _children(pid: int) -> list[int]:
    """Processes that one has started itself; of an engine process, its spare."""
    try:
        return [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def lines(result: dict[str, Any]) -> list[str]:
    """The result as printed."""
    resident: dict[str, int] = result["resident_bytes"]
    parts = ", ".join(f"{name} {size / 1e6:.0f}" for name, size in resident.items())
    return [
        f"{result['windows_served']} of {result['windows']} windows are served by one engine",
        f"resident MB: {parts}; {result['over_file_megabytes']:.0f} beyond the model's file",
        *(_said(name, result["summary"][name], result) for name in CONDITIONS),
        *warnings(result["busy_elsewhere_cores"]),
    ]


def _said(name: str, summary: dict[str, float], result: dict[str, Any]) -> str:
    beside = f", {result[f'{name}_ratio']:.2f}x alone" if f"{name}_ratio" in result else ""
    return (
        f"typing, {name:<6}  median {summary['median_ms']:.0f} ms, 95% {summary['p95_ms']:.0f} ms, "
        f"most {summary['most_ms']:.0f} ms of {summary['keys']} keys{beside}"
    )
