"""`midline-bench quality typing`: what is on the screen while a person types real lines.

A fake editor starts `midline serve`, opens real files of several languages from which blocks of a
few lines were taken out, jumps to each block and types its lines with a human rhythm. It runs in
real time: 100 lines are about ten minutes of typing. The results are compared with the oracle, the
completions of the server's own prompts at the same positions without a time limit. With --trace an
interrupted run continues after the last block that was typed.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.answers import Answers
from midline.benchmarks.quality.typing.editor import (
    DEBOUNCE_SECONDS,
    LspEditor,
    memory_bytes,
    serving,
)
from midline.benchmarks.quality.typing.files import (
    BLOCK_LINES,
    TypedFile,
    default_files,
    given_files,
)
from midline.benchmarks.quality.typing.oracle import CACHE_TOKENS, oracle
from midline.benchmarks.quality.typing.report import MIDLINE, build, print_report
from midline.benchmarks.quality.typing.rhythm import RHYTHMS
from midline.benchmarks.quality.typing.scores import is_pause
from midline.benchmarks.quality.typing.session import Assistant, Cost, Position, Trace, Typist
from midline.benchmarks.quality.typing.simulation.engine import Speed
from midline.model.catalog.catalog import resolve
from midline.model.engines.base import Engine
from midline.model.engines.load import load_engine
from midline.model.errors import UsageError
from midline.model.paths import cache_folder
from midline.model.threads import thread_count
from midline.server.lsp.settings import resolve as resolve_settings

DEFAULT_LINES = 100
ALONE = "one model"
PEERS = ("llama.cpp", ALONE)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what is typed, how, at what, and where the results go."""
    parser.add_argument(
        "files",
        nargs="*",
        type=Path,
        metavar="PATH",
        help="files or folders to type in (default: of packages and tools that are installed)",
    )
    parser.add_argument("--lines", type=int, default=DEFAULT_LINES, metavar="N", help="(100)")
    parser.add_argument(
        "--block", type=int, default=BLOCK_LINES, metavar="N", help="lines at one place (5)"
    )
    parser.add_argument(
        "--keys", type=int, metavar="N", help="type N keys of each line, paste the rest of it"
    )
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    parser.add_argument(
        "--peer",
        choices=PEERS,
        help="type the same with llama.vim's rules, or at a second server without the pause model, "
        "block by block in turn",
    )
    parser.add_argument("--rhythm", choices=list(RHYTHMS), default="human", help="(human)")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="other places and times")
    _add_pauses(parser)
    parser.add_argument(
        "--option",
        action="append",
        default=[],
        metavar="NAME=JSON",
        help="a setting of the server, e.g. answerMilliseconds=600",
    )
    parser.add_argument(
        "--oracle",
        choices=("keys", "pauses", "none"),
        default="keys",
        help="where the model is asked without a time limit (at every key)",
    )
    parser.add_argument(
        "--simulated",
        type=_speeds,
        metavar="PREFILL,DECODE",
        help="on a simulated clock: computing takes as long as at so many tokens a second, reading "
        "and writing, and nothing else takes any time; for machines that are busy. Two more "
        "numbers are those of the pause model",
    )
    parser.add_argument("--show", action="store_true", help="print every pause")
    parser.add_argument("--trace", type=output_file, metavar="FILE", help="every key; to resume")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="figures and pauses")


def _add_pauses(parser: argparse.ArgumentParser) -> None:
    """Add how long the editor waits before it asks."""
    parser.add_argument(
        "--debounce",
        type=int,
        default=round(DEBOUNCE_SECONDS * 1000),
        metavar="MS",
        help="between a key and its request (50, as VS Code does)",
    )
    parser.add_argument(
        "--again",
        type=int,
        default=0,
        metavar="MS",
        help="ask once more so long after an answer, for what was written meanwhile: a short text "
        "comes first (with --option answerMilliseconds=0, at once) and is extended (0: never)",
    )


def _speeds(text: str) -> tuple[Speed, ...]:
    """One or two pairs of rates; ArgumentTypeError where they are none."""
    try:
        rates = [float(rate) for rate in text.split(",")]
        if len(rates) in (2, 4) and min(rates) > 0:
            return tuple(Speed(*rates[at : at + 2]) for at in range(0, len(rates), 2))
    except ValueError:
        pass
    raise argparse.ArgumentTypeError(f"{text!r} is not two rates or four, as in 650,110")


def run(args: argparse.Namespace) -> int:
    """Type, ask the oracle, and report."""
    files = _files(args)
    about = _about(args, files)
    trace = Trace(args.trace, about)
    print(f"{_minutes(args, files):.0f} minutes of typing", file=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="midline-typing-") as folder:
        if args.simulated:
            _simulate(args, files, trace, Path(folder))
        else:
            asyncio.run(_type(args, files, trace, Path(folder)))
    positions = list(trace.positions)
    if args.oracle != "none":
        own = [position for position in positions if position.engine == MIDLINE]
        positions += _oracle(args, own, files)
    result = build(positions, trace.costs, {**about, **_environment()})
    print_report(result, show=args.show)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return 0


def _files(args: argparse.Namespace) -> list[TypedFile]:
    if args.lines < 1 or args.block < 1:
        raise UsageError("--lines and --block are at least 1")
    if args.files:
        return given_files(args.files, args.lines, args.seed, args.block)
    return default_files(args.lines, args.seed, args.block)


def _about(args: argparse.Namespace, files: Sequence[TypedFile]) -> dict[str, Any]:
    """The options that identify a run: two runs with equal ones type the same keys at the same
    server.
    """
    return {
        "benchmark": "typing",
        "model": args.model,
        "rhythm": args.rhythm,
        "distribution": asdict(RHYTHMS[args.rhythm]),
        "seed": args.seed,
        "lines": sum(len(block.lines) for file in files for block in file.blocks),
        "keys": args.keys,
        "debounce_ms": args.debounce,
        "again_ms": args.again,
        "options": _options(args),
        "simulated": args.simulated and _as_data(args.simulated),
        "peer": args.peer,
        "files": [{"language": f.language, "name": f.name, "sha256": f.sha256} for f in files],
    }


def _as_data(speeds: Sequence[Speed]) -> Any:
    """The model's rates, and those of the pause model beside them."""
    found = asdict(speeds[0])
    return {**found, "pause_model": asdict(speeds[1])} if len(speeds) > 1 else found


def _environment() -> dict[str, Any]:
    return {"machine": describe_machine(), "versions": describe_versions("pygls")}


def _options(args: argparse.Namespace) -> dict[str, Any]:
    """Settings for the server; UsageError where one is not NAME=JSON."""
    found: dict[str, Any] = {}
    for text in args.option:
        name, sign, value = text.partition("=")
        try:
            found[name] = json.loads(value)
        except ValueError:
            sign = ""
        if not sign:
            raise UsageError(f"--option {text!r} is not NAME=JSON, as in answerMilliseconds=600")
    return found


def _minutes(args: argparse.Namespace, files: Sequence[TypedFile]) -> float:
    rhythm = RHYTHMS[args.rhythm]
    seconds = 0.0
    for file in files:
        for number, block in enumerate(file.blocks):
            seed = f"{args.seed} {file.name} {number}"
            seconds += sum(s.seconds for s in rhythm.strokes(block.lines, seed, args.keys))
    return seconds / 60


async def _type(
    args: argparse.Namespace, files: Sequence[TypedFile], trace: Trace, folder: Path
) -> None:
    """Type every block that the trace does not have."""
    home = folder / "home"
    home.mkdir()
    options = {"model": str(resolve(args.model)), **_options(args)}
    typist = Typist(folder / "projects", RHYTHMS[args.rhythm], args.seed, args.keys)
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(
            serving(home, options, debounce=args.debounce / 1000, again=args.again / 1000)
        )
        assistants: list[Assistant] = [server]
        if args.peer == ALONE:
            assistants.append(await stack.enter_async_context(_alone(args, folder, options)))
        elif args.peer:
            assistants.append(stack.enter_context(_peer(args)))
        await _blocks(typist, assistants, files, trace)


async def _blocks(
    typist: Typist, assistants: Sequence[Assistant], files: Sequence[TypedFile], trace: Trace
) -> None:
    for file in files:
        for number in range(len(file.blocks)):
            for assistant in assistants:
                if not trace.has(assistant.name, file, number):
                    trace.add(*await _block(typist, assistant, file, number))
                    _say(trace, files, len(assistants))


def _simulate(
    args: argparse.Namespace, files: Sequence[TypedFile], trace: Trace, folder: Path
) -> None:
    """Type every block that the trace does not have on a simulated clock."""
    from midline.benchmarks.quality.typing.simulation.clock import SimulatedClock
    from midline.benchmarks.quality.typing.simulation.editor import run, simulated_editor
    from midline.benchmarks.quality.typing.simulation.engine import SimulatedEngine

    if args.peer == ALONE:
        raise UsageError(
            "on a simulated clock there is one server; run it again without the option"
        )
    settings, _ = resolve_settings(_options(args))
    typist = Typist(folder / "projects", RHYTHMS[args.rhythm], args.seed, args.keys)
    models = [args.model, settings.pause_model] if settings.pause_model else [args.model]
    if len(args.simulated) < len(models):
        raise UsageError(
            "--simulated needs the rates of the pause model, too, as in 600,100,200,35"
        )
    engines = [load_engine(model, cache_tokens=CACHE_TOKENS) for model in models]
    clock = SimulatedClock(thread_count(None))

    async def type_all() -> None:
        first, *others = (
            SimulatedEngine(engine, _simulated_answers(engine), clock, speed)
            for engine, speed in zip(engines, args.simulated, strict=False)
        )
        pauses = args.debounce / 1000, args.again / 1000
        editor = simulated_editor(
            first, clock, settings, debounce=pauses[0], again=pauses[1],
            pause_engine=others[0] if others else None,
        )  # fmt: skip
        await _blocks(typist, [editor], files, trace)

    run(clock, type_all)


@asynccontextmanager
async def _alone(
    args: argparse.Namespace, folder: Path, options: dict[str, Any]
) -> AsyncIterator[LspEditor]:
    """An editor at a second server, which has no pause model."""
    home = folder / "home of one model"
    home.mkdir()
    pauses = {"debounce": args.debounce / 1000, "again": args.again / 1000}
    async with serving(home, {**options, "pauseModel": ""}, **pauses) as editor:
        editor.name = ALONE
        yield editor


@contextmanager
def _peer(args: argparse.Namespace) -> Iterator[Assistant]:
    """llama.vim's rules at llama.cpp, with as many threads as Midline has."""
    if find_spec("llama_cpp") is None:
        raise UsageError("--peer llama.cpp needs llama-cpp-python; `pip install 'midline[peers]'`")
    from midline.benchmarks.quality.typing.llama_server import InfillServer
    from midline.benchmarks.quality.typing.llama_vim import LlamaVim

    server = InfillServer(resolve(args.model), thread_count(None))
    peer = LlamaVim(server, args.seed)
    try:
        yield peer
    finally:
        peer.close()
        server.close()


async def _block(
    typist: Typist, assistant: Assistant, file: TypedFile, number: int
) -> tuple[list[Position], Cost]:
    """Open the file of a block and type it; returns the positions and the cost."""
    await typist.open(assistant, file, number)
    await assistant.settle()
    began, cpu, read = time.perf_counter(), assistant.cpu_seconds(), assistant.tokens_read() or 0
    positions = await typist.type_block(assistant, file, number)
    seconds = time.perf_counter() - began
    spent = assistant.cpu_seconds()
    tokens = assistant.tokens_read()
    cost = Cost(
        assistant.name, file.language, file.name, number, round(seconds, 3),
        None if cpu is None or spent is None else round(spent - cpu, 3),
        None if tokens is None else tokens - read, memory_bytes(assistant),
    )  # fmt: skip
    return positions, cost


def _say(trace: Trace, files: Sequence[TypedFile], engines: int) -> None:
    total = sum(len(file.blocks) for file in files) * engines
    print(f"\rtyped {len(trace.costs)} of {total} blocks", end="", file=sys.stderr, flush=True)


def _oracle(
    args: argparse.Namespace, positions: Sequence[Position], files: Sequence[TypedFile]
) -> list[Position]:
    """The oracle's answers, from the cache or computed now."""
    engine = load_engine(args.model, cache_tokens=CACHE_TOKENS)
    answers = Answers(cache_folder() / "typing" / f"{engine.name}.jsonl")
    asked = [one for one in positions if args.oracle == "keys" or is_pause(one)]
    settings, _ = resolve_settings(_options(args))
    if args.simulated:
        from midline.benchmarks.quality.typing.simulation.engine import Instant, SimulatedEngine

        known = _simulated_answers(engine)
        own = SimulatedEngine(engine, known, Instant(), args.simulated[0])
        return oracle(own, asked, files, answers, settings, is_kept=False)
    return oracle(engine, asked, files, answers, settings)


def _simulated_answers(engine: Engine) -> Answers:
    return Answers(cache_folder() / "typing" / f"simulated-{engine.name}.jsonl")
