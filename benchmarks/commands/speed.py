"""Measure tokens per second of Midline, alone or paired with another engine.

prefill, decode, samples and keystroke can be paired; the others measure Midline alone.
"""

import argparse
import importlib
import json
import shlex
import statistics
import sys
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.outputs import output_file
from midline.benchmarks.speed.company import Company, warnings
from midline.benchmarks.speed.flags import SKIPPING, check, is_typing
from midline.benchmarks.speed.paired import interleave, pair_ratios, row
from midline.benchmarks.speed.remote import RemoteEngine
from midline.benchmarks.speed.requantized import requantized
from midline.benchmarks.speed.work import model_work
from midline.benchmarks.speed.workload import Workload
from midline.model.catalog.catalog import resolve
from midline.model.engines.native.policy import policy_of
from midline.model.teal.profile import find_profile
from midline.model.threads import thread_count
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.lsp.settings import Settings

COMPARED = ("prefill", "decode", "samples", "keystroke")
ALONE = ("memory", "start", "drafting", "sparse", "selfdraft", "samples-curve")
RUNS = 5
PEERS = ("llama.cpp", "openvino", "transformers", "separate")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the measurement, the model, the peer and the shape of the work."""
    parser.add_argument("measurement", choices=(*COMPARED, *ALONE))
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    parser.add_argument(
        "--peer", choices=PEERS, help="engine to compare with; separate: samples one by one"
    )
    parser.add_argument("--tokens", type=int, metavar="N", help="tokens of a timed run")
    parser.add_argument("--context", type=int, metavar="N", help="tokens already in the cache")
    parser.add_argument("--samples", type=int, metavar="N", help="sequences decoded together")
    parser.add_argument("--lines", type=int, metavar="N", help="keystroke alone: lines to type")
    parser.add_argument(
        "--sparsity",
        type=float,
        metavar="S",
        help="share of weights to skip (0; keystroke alone: what the model's quality gate chose)",
    )
    parser.add_argument("--exact", action="store_true", help="compute the whole output matrix")
    parser.add_argument(
        "--requantize", choices=["q4_0"], help="measure a copy in this form, on both sides"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="default: the physical cores")
    parser.add_argument("--runs", type=int, metavar="N", help="timed runs per engine (5)")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures here")
    parser.add_argument(
        "--plot", type=output_file, metavar="FILE", help="draw the runs as a picture"
    )


def run(args: argparse.Namespace) -> int:
    """Measure, print one line per engine and the ratio, and write what was asked for."""
    check(args)
    path = resolve(args.model)
    if args.requantize:
        path = requantized(path, thread_count(args.threads))
    module_name = args.measurement.replace("-", "_")
    module = importlib.import_module(f"midline.benchmarks.speed.{module_name}")
    is_alone = is_typing(args) or args.measurement in ALONE
    found = (
        measure_typing(args, module, path)
        if is_typing(args)
        else (measure_alone if is_alone else compare)(args, module, path)
    )
    result = {
        "benchmark": args.measurement,
        "model": args.model,
        "requantized": args.requantize,
        "command": shlex.join(["midline-bench", *sys.argv[1:]]),
        "machine": describe_machine(),
        **found,
        "versions": {**describe_versions(), **found["versions"]},
    }
    lines = module.lines(result) if is_alone else row_lines(result)
    print("\n".join(lines))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    if args.plot:
        from midline.benchmarks.speed.plot import draw

        if hasattr(module, "draw"):
            module.draw(result, args.plot)
        else:
            draw([result], args.plot)
    return 0


def measure_typing(args: argparse.Namespace, module: ModuleType, path: Path) -> dict[str, Any]:
    """Figures of a typist at the language server."""
    settings = Settings(
        model=str(path),
        threads=thread_count(args.threads),
        exact=args.exact,
        sparsity=policy_of(path).sparsity if args.sparsity is None else args.sparsity,
        max_tokens=args.tokens or Settings.max_tokens,
        context_tokens=module.DEFAULT_CONTEXT if args.context is None else args.context,
    )
    found: dict[str, Any] = module.measure(settings, args.lines or module.DEFAULT_LINES)
    return found


def measure_alone(args: argparse.Namespace, module: ModuleType, path: Path) -> dict[str, Any]:
    """Figures of a measurement that has no peer."""
    own: dict[str, Any] = {}
    if args.measurement in ("start", "sparse", "samples-curve"):
        own["runs"] = args.runs or RUNS
    if args.measurement in SKIPPING:
        own["level"] = args.sparsity or module.DEFAULT_LEVEL
    found: dict[str, Any] = module.measure(
        path,
        thread_count(args.threads),
        args.tokens or module.DEFAULT_TOKENS,
        args.context or module.DEFAULT_CONTEXT,
        **own,
    )
    return found


def compare(args: argparse.Namespace, module: ModuleType, path: Path) -> dict[str, Any]:
    """Rows of Midline and its peer, each in a process of its own, and their ratio."""
    file = read_gguf(path)
    workload: Workload = module.workload(
        Tokenizer.from_gguf(file),
        args.tokens or module.DEFAULT_TOKENS,
        args.context or module.DEFAULT_CONTEXT,
        args.samples or module.DEFAULT_SAMPLES,
    )
    sparsity = args.sparsity or 0.0
    find_profile(path, sparsity)
    options = {
        "exact": args.exact,
        "cache_tokens": workload.cache_tokens,
        "sparsity": sparsity,
    }
    names = ["midline", *([args.peer] if args.peer else [])]
    with ExitStack() as stack:
        engines = [
            stack.enter_context(RemoteEngine(name, path, thread_count(args.threads), options))
            for name in names
        ]
        bandwidth = engines[0].call("read_bandwidth", seconds=1.0)
        dot_rate = engines[0].call("dot_rate", seconds=0.5)
        pids = [engine.pid for engine in engines]
        before = Company.now(pids)
        seconds = interleave(engines, workload, args.runs or RUNS)
        after = Company.now(pids)
        rows = [
            row(engine, workload, found, model_work(file))
            for engine, found in zip(engines, seconds, strict=True)
        ]
        versions = {key: value for engine in engines for key, value in engine.versions.items()}
    ratios = pair_ratios(*seconds) if args.peer else []
    return {
        "versions": versions,
        "read_gb_per_second": bandwidth,
        "peak_multiply_adds_per_second": dot_rate,
        "busy_elsewhere_cores": after.since(before) if before and after else None,
        "file_bytes": path.stat().st_size,
        "rows": rows,
        "pair_ratios": ratios,
        "ratio": statistics.median(ratios) if ratios else None,
    }


def row_lines(result: dict[str, Any]) -> list[str]:
    """One line per engine, the read bandwidth and the ratio."""
    lines = [
        f"{found['engine']:<12} {found['tokens_per_second']:>8.1f} tokens/s   "
        f"{found['weights_gb_per_second']:>6.1f} GB/s of weights   "
        f"{found['multiply_adds_per_second'] / 1e9:>7.1f} G multiply-adds/s   "
        f"{(found['resident_bytes'] or 0) / 1e6:>6.0f} MB resident"
        for found in result["rows"]
    ]
    peak = result["peak_multiply_adds_per_second"]
    share = result["rows"][0]["multiply_adds_per_second"] / peak
    lines.append(
        f"memory reads at {result['read_gb_per_second']:.1f} GB/s; dot products in registers do "
        f"{peak / 1e9:.0f} G multiply-adds/s, of which the first row is {share:.0%}"
    )
    if result["ratio"] is not None:
        low, high = min(result["pair_ratios"]), max(result["pair_ratios"])
        lines.append(f"ratio {result['ratio']:.2f} (pairs from {low:.2f} to {high:.2f})")
    return [*lines, *warnings(result["busy_elsewhere_cores"])]
