"""Latency of completions while typing, and the number of prompt tokens computed per key.

Alone, a simulated typist (`typist.py`) writes real lines into long files of Midline's own sources
with other files open. With a peer, the same token ids are timed on both engines: a prompt that
grows by one token at a time, and a short completion after each.
"""

import argparse
import asyncio
import os
import random
import statistics
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from midline.benchmarks.speed import comparison, flags
from midline.benchmarks.speed.background_load import BackgroundLoad, warnings
from midline.benchmarks.speed.plot import draw
from midline.benchmarks.speed.report import report
from midline.benchmarks.speed.typist import Reply, Typist, offset_behind
from midline.benchmarks.speed.workload import Workload, prompt_ids
from midline.model.completion.fim import chunk_ids
from midline.model.engines.native.policy import policy_of
from midline.model.errors import UsageError
from midline.model.threads import thread_count
from midline.model.tokenizer.base import TokenizerBase
from midline.server.lsp.prompt_window import WindowPlanner
from midline.server.lsp.server import MidlineServer, create_server
from midline.server.lsp.settings import Settings

PAIRED_TOKENS = 8
TYPED_LINES = 200
KEYSTROKES = 8
ROOMS = Path(__file__).resolve().parents[2]
TYPED_FILES, COLD_FILES, LONG = 4, 8, 300
SEED = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the peer and the shape of the work, of which some is for one of the two forms only."""
    flags.add(parser, "peer", "tokens", "lines", "sparsity", "exact", "runs", "plot", context=1024)


def run(args: argparse.Namespace) -> int:
    """Type at the server, or, with a peer, time the same tokens on both engines by turns."""
    check(args)
    if args.peer is None:
        path = flags.model_path(args)
        found = measure(typing_settings(args, path), args.lines or TYPED_LINES)
        return report("keystroke", args, found, lines, lambda result, to: draw([result], to))
    args.runs = args.runs or flags.RUNS
    tokens, context = args.tokens or PAIRED_TOKENS, args.context
    return comparison.run("keystroke", args, lambda tokenizer: workload(tokenizer, tokens, context))


def check(args: argparse.Namespace) -> None:
    """Raise UsageError for a value out of range, or one that is not used with or without --peer."""
    flags.check(args, context=1 if args.peer else 0)
    unused, other = ("lines", "with") if args.peer else ("runs", "without")
    if getattr(args, unused) is not None:
        raise UsageError(f"speed keystroke {other} --peer does not use --{unused}; leave it out")


def typing_settings(args: argparse.Namespace, path: Path) -> Settings:
    """Settings of the server: the model's own sparsity unless another one is asked for."""
    return Settings(
        model=str(path),
        threads=thread_count(args.threads),
        exact=args.exact,
        sparsity=policy_of(path).sparsity if args.sparsity is None else args.sparsity,
        max_tokens=args.tokens or Settings.max_tokens,
        context_tokens=args.context,
    )


def workload(tokenizer: TokenizerBase, tokens: int, context: int) -> Workload:
    """`KEYSTROKES` typed tokens after `context`, each followed by `tokens` greedy ones that are
    dropped.
    """
    ids = prompt_ids(tokenizer, context + KEYSTROKES)
    return Workload(
        benchmark="keystroke",
        tokens=tokens,
        context=context,
        samples=1,
        method="keystrokes",
        arguments={"prompt": ids[:context], "typed": ids[context:], "tokens": tokens},
        timed_tokens=KEYSTROKES * tokens,
        passes=KEYSTROKES * tokens,
        output_rows=KEYSTROKES * tokens,
    )


def measure(settings: Settings, lines: int) -> dict[str, Any]:
    """Figures of `lines` lines typed at a server with `settings`, whose model is a path."""
    before = BackgroundLoad.now([os.getpid()])
    with tempfile.TemporaryDirectory() as folder:
        found = asyncio.run(_type(settings, lines, Path(folder)))
    after = BackgroundLoad.now([os.getpid()])
    found["rows"][0]["sparsity"] = settings.sparsity
    return {
        "versions": {},
        "busy_elsewhere_cores": after.since(before) if before and after else None,
        "file_bytes": Path(settings.model).stat().st_size,
        "ratio": None,
        **found,
    }


async def _type(settings: Settings, count: int, folder: Path) -> dict[str, Any]:
    server, engine = await _started(settings)
    typed, cold = _sources()
    (folder / "midline" / ".git").mkdir(parents=True)
    typist = Typist(server, random.Random(SEED))
    for path, text in (typed | cold).items():
        typist.open(_copy(path, folder), text)
    for number, (path, text) in enumerate(typed.items()):
        share = count * (number + 1) // len(typed) - count * number // len(typed)
        if share:
            await _type_into(typist, _copy(path, folder), text, share)
    for path, text in cold.items():
        cut, offset = _half_a_line(text)
        await typist.look(typist.open(_copy(path, folder), cut), offset)
    await typist.close()
    server.engine.close(5)
    return figures(typist.replies, count, settings.context_tokens, engine.tokenizer)


async def _type_into(typist: Typist, path: Path, text: str, count: int) -> None:
    """Take `count` lines out of the middle of a file and type them again."""
    lines = text.split("\n")
    first = len(lines) // 2
    without = "\n".join([*lines[:first], *lines[first + count :]])
    uri = typist.open(path, without)
    offset = offset_behind(without, first - 1)
    await typist.look(uri, offset)
    await typist.type_lines(uri, offset, lines[first : first + count])


def _half_a_line(text: str) -> tuple[str, int]:
    """`text` with a line in its middle half typed, and the offset of the cursor."""
    lines = text.split("\n")
    number = next(n for n in range(len(lines) // 2, len(lines)) if len(lines[n].strip()) > 20)
    lines[number] = lines[number][: len(lines[number]) * 2 // 3]
    cut = "\n".join(lines)
    return cut, offset_behind(cut, number)


def _copy(path: Path, folder: Path) -> Path:
    """Where the sources lie for the server: in a project of their own."""
    return folder / "midline" / path.relative_to(ROOMS)


async def _started(settings: Settings) -> tuple[MidlineServer, Any]:
    """A server with its model loaded, as after `initialized`, and the engine."""
    server = create_server()
    server.session.use(settings)

    def load() -> Any:
        engine = server.load_engine(settings, lambda share: None)
        server.planner = WindowPlanner()
        server.planner.measure(engine)
        return engine

    engine = await asyncio.wrap_future(server.engine.load(load))
    server.load_settled.set()
    return server, engine


def _sources() -> tuple[dict[Path, str], dict[Path, str]]:
    """The longest Python files of the model room to type in, and the next ones of all rooms."""
    rooms = [path for room in ("kernels", "model", "server", "benchmarks") for path in
             (ROOMS / room).rglob("*.py")]  # fmt: skip
    texts = {path: path.read_text("utf-8") for path in rooms}
    longest = sorted(texts, key=lambda path: (-texts[path].count("\n"), path))
    typed = [path for path in longest if path.is_relative_to(ROOMS / "model")][:TYPED_FILES]
    if len(typed) < TYPED_FILES or texts[typed[-1]].count("\n") < LONG:
        raise UsageError(f"the sources have no {TYPED_FILES} files of {LONG} lines to type in")
    cold = [path for path in longest if path not in typed][:COLD_FILES]
    return {path: texts[path] for path in typed}, {path: texts[path] for path in cold}


def figures(
    replies: list[Reply], lines: int, context: int, tokenizer: TokenizerBase
) -> dict[str, Any]:
    """Summary of the replies; times are milliseconds from receipt to the whole answer.

    Requests within a line are counted apart from the first ones after Enter and in a file, and what
    was typed along apart from what was computed. Times are of requests that were waited for.
    """
    keys = [reply for reply in replies if reply.after == "key"]
    computed = [reply for reply in keys if not reply.is_typed_ahead]
    asked = [reply for reply in replies if reply.recomputed is not None]
    timed = [reply for reply in asked if reply.seconds is not None]
    seconds = sum(reply.seconds or 0.0 for reply in timed)
    written = sum(reply.written_tokens for reply in timed)
    read = [reply for reply in keys if reply.recomputed is not None]
    context_tokens = [
        sum(len(chunk_ids(tokenizer, chunk)) for chunk in reply.chunks) for reply in read
    ]
    return {
        "rows": [
            {
                "engine": "midline",
                "tokens": written,
                "context": context,
                "samples": 1,
                "tokens_per_second": written / seconds if seconds else 0.0,
                "seconds": [reply.seconds for reply in timed],
            }
        ],
        "lines": lines,
        "keystrokes": len(keys),
        "typed_ahead": len(keys) - len(computed),
        "given_up": sum(reply.seconds is None for reply in computed),
        "nothing_shown": sum(not reply.text for reply in computed if reply.seconds is not None),
        "whole_windows": sum(reply.is_whole for reply in read) / max(1, len(read)),
        "context_tokens": _summary(context_tokens),
        "prompt_tokens": _summary(reply.prompt_tokens for reply in computed),
        "recomputed_tokens": _summary(reply.recomputed for reply in computed),
        "reply_ms": _milliseconds(computed, is_typed_ahead=False),
        "typed_ahead_ms": _milliseconds(keys, is_typed_ahead=True),
        "after_enter_ms": _milliseconds(replies, is_typed_ahead=False, after="enter"),
        "cold_ms": _milliseconds(replies, is_typed_ahead=False, after="open"),
    }


def _milliseconds(
    replies: Iterable[Reply], *, is_typed_ahead: bool, after: str = "key"
) -> dict[str, float]:
    return _summary(
        reply.seconds * 1000
        for reply in replies
        if reply.seconds is not None
        and reply.after == after
        and reply.is_typed_ahead is is_typed_ahead
    )


def _summary(values: Iterable[float | None]) -> dict[str, float]:
    """Count, median, 95th percentile (the smallest value that 95% do not exceed) and maximum."""
    found = sorted(value for value in values if value is not None)
    if not found:
        return {"count": 0}
    return {
        "count": len(found),
        "median": statistics.median(found),
        "percentile_95": found[-(-len(found) * 95 // 100) - 1],
        "max": found[-1],
    }


def lines(result: dict[str, Any]) -> list[str]:
    """The result as printed."""
    summaries = {
        "prompt tokens recomputed": result["recomputed_tokens"],
        "reply, ms": result["reply_ms"],
        "reply typed ahead, ms": result["typed_ahead_ms"],
        "first after Enter, ms": result["after_enter_ms"],
        "first in a cold file, ms": result["cold_ms"],
        "context tokens": result["context_tokens"],
    }
    printed = [
        f"{result['lines']} lines, {result['keystrokes']} keys: {result['typed_ahead']} answered "
        f"by what was typed along, {result['given_up']} given up by the next key; "
        f"{result['whole_windows']:.0%} of the others read all that was wanted",
    ]
    for name, found in summaries.items():
        if found["count"]:
            printed.append(
                f"{name:<26} median {found['median']:>7.1f}   95% {found['percentile_95']:>7.1f}   "
                f"max {found['max']:>7.1f}   of {found['count']}"
            )
    return [*printed, *warnings(result["busy_elsewhere_cores"])]
