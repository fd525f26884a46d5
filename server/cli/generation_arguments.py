"""The options shared by `complete` and `generate`, and the engine options they set."""

import argparse
import contextlib
import math
import signal
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import TYPE_CHECKING

from midline.kernels import CancelFlag
from midline.model.catalog.catalog import DEFAULT_MODEL
from midline.model.decoding.options import (
    SAMPLING_TEMPERATURE,
    EngineOptions,
    NativeOptions,
    SamplingOptions,
)
from midline.model.engines.load import KINDS
from midline.model.errors import UsageError
from midline.model.threads import MAX_THREADS, THREADS_VARIABLE

if TYPE_CHECKING:
    from midline.model.engines.base import Engine


def add_generation_arguments(parser: argparse.ArgumentParser, max_tokens: int) -> None:
    """Add the shared options; `max_tokens` is the default of --max-tokens."""
    add = parser.add_argument
    add(
        "--model",
        default=DEFAULT_MODEL,
        metavar="NAME",
        help="catalogue name or path of a GGUF file",
    )
    add(
        "--engine",
        choices=KINDS,
        default=KINDS[0],
        help=f"the engine that runs the model ({KINDS[0]})",
    )
    add("--endpoint", metavar="URL", help="with --engine remote: the server to ask")
    add(
        "--endpoint-consent",
        action="store_true",
        help="with --engine remote: send text to a server on another machine",
    )
    add("--samples", type=_integer(1), default=1, metavar="N", help="number of completions (1)")
    add(
        "--max-tokens",
        type=_integer(1),
        default=max_tokens,
        metavar="N",
        help=f"most tokens of a completion ({max_tokens})",
    )
    _add_sampling_arguments(parser)
    add(
        "--sparsity",
        type=_real(0, 0.9),
        metavar="S",
        help="share of the weights to skip (the model's default)",
    )
    add(
        "--draft",
        choices=("lookup", "self", "both", "none"),
        help="draft by prompt lookup, self-speculation, both or not at all (the model's default)",
    )
    add("--exact", action="store_true", help="compute all logits exactly, without screening")
    add(
        "--seed",
        type=_integer(0, 2**63 - 1),
        default=0,
        metavar="N",
        help="seed of random sampling (0)",
    )
    add_threads_argument(parser)
    add("--json", action="store_true", help="print one JSON object")
    add("--verbose", action="store_true", help="print the speed on standard error")


def _add_sampling_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the sampling options."""
    add = parser.add_argument
    add(
        "--temperature",
        type=_real(0, 10),
        metavar="T",
        help=f"0 is greedy decoding (0, or {SAMPLING_TEMPERATURE} for several samples)",
    )
    add(
        "--top-p",
        type=_real(0, 1),
        default=1.0,
        metavar="P",
        help="nucleus sampling: draw from the likeliest tokens with total probability P (1)",
    )
    add(
        "--min-p",
        type=_real(0, 1),
        default=0.0,
        metavar="P",
        help="min-p: never draw tokens less probable than P times the likeliest (0)",
    )
    add(
        "--greedy-first",
        action=argparse.BooleanOptionalAction,
        help="decode the first of several samples greedily (default without --temperature)",
    )
    add(
        "--max-repeats",
        type=_integer(0),
        default=0,
        metavar="N",
        help="end a completion that repeats the same tokens N times (0: never)",
    )


def add_threads_argument(parser: argparse.ArgumentParser) -> None:
    """Add --threads, for every command that loads an engine."""
    parser.add_argument(
        "--threads",
        type=_integer(1, MAX_THREADS),
        metavar="N",
        help=f"number of threads ({THREADS_VARIABLE}, or the physical cores)",
    )


def _integer(low: int, high: int = 1 << 20) -> Callable[[str], int]:
    def parse(text: str) -> int:
        try:
            value = int(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r:.40} is not a whole number") from None
        if not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{value!s:.40} is not between {low} and {high}")
        return value

    return parse


def _real(low: float, high: float) -> Callable[[str], float]:
    def parse(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise argparse.ArgumentTypeError(f"{text!r:.40} is not a number") from None
        if not math.isfinite(value) or not low <= value <= high:
            raise argparse.ArgumentTypeError(f"{text:.40} is not between {low:g} and {high:g}")
        return value

    return parse


def generate_options(args: argparse.Namespace) -> SamplingOptions:
    """The engine options that the arguments set.

    Raises UsageError for values that are out of range, before a model is loaded.
    """
    options = SamplingOptions.chosen(
        args.samples,
        args.temperature,
        args.greedy_first,
        max_tokens=args.max_tokens,
        top_p=args.top_p,
        min_p=args.min_p,
        seed=args.seed,
        max_repeats=args.max_repeats,
        engine=_engine_options(args),
    )
    options.check()
    return options


def _engine_options(args: argparse.Namespace) -> EngineOptions:
    """The options of the kind of engine that was chosen."""
    if args.engine == "remote":
        from midline.model.engines.remote.endpoint import RemoteOptions

        return RemoteOptions(args.endpoint or "", consent=args.endpoint_consent)
    if args.endpoint is not None:
        raise UsageError("--endpoint is for --engine remote; give both")
    return NativeOptions(exact=args.exact, sparsity=args.sparsity, draft=args.draft)


def load_engine(args: argparse.Namespace, cache_tokens: int | None = None) -> "Engine":
    """The engine with the requested model and a KV cache large enough for the requested samples."""
    from midline.model.engines import load

    options = generate_options(args)
    with _export_progress(args.engine) as progress:
        engine = load.load_engine(
            args.model,
            args.engine,
            options=options,
            threads=args.threads,
            progress=progress,
            cache_tokens=cache_tokens,
        )
    if engine.note:
        print(f"midline: {engine.note}", file=sys.stderr)
    return engine


@contextlib.contextmanager
def _export_progress(kind: str) -> Iterator[Callable[[float], None] | None]:
    """A bar on a terminal's standard error while the ONNX engine exports a model."""
    if kind != "onnx" or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr), transient=True) as bar:
        task = bar.add_task("exporting to ONNX", total=1.0)
        yield lambda share: bar.update(task, completed=share)


@contextlib.contextmanager
def cancelled_by_ctrl_c() -> Iterator[CancelFlag]:
    """A cancellation flag that the first Ctrl-C sets.

    The block can then show what was generated so far; KeyboardInterrupt is raised at its end. A
    second Ctrl-C interrupts at once.
    """
    cancel = CancelFlag()

    def interrupt(signum: int, frame: FrameType | None) -> None:
        if cancel.is_set():
            raise KeyboardInterrupt
        cancel.set()

    previous = signal.signal(signal.SIGINT, interrupt)
    try:
        yield cancel
    finally:
        signal.signal(signal.SIGINT, previous)
    if cancel.is_set():
        raise KeyboardInterrupt
