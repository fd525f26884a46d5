"""Paired runs of Midline and a peer on one workload: rows of both engines and their ratio."""

import argparse
import statistics
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from midline.benchmarks.speed.background_load import BackgroundLoad, warnings
from midline.benchmarks.speed.flags import OURS, check, model_path
from midline.benchmarks.speed.paired import interleave, pair_ratios, row
from midline.benchmarks.speed.plot import draw
from midline.benchmarks.speed.remote import RemoteEngine
from midline.benchmarks.speed.report import report
from midline.benchmarks.speed.restricted import check_features, environment
from midline.benchmarks.speed.work import model_work
from midline.benchmarks.speed.workload import Workload
from midline.model.teal.profile import find_profile
from midline.model.threads import thread_count
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf


def run(benchmark: str, args: argparse.Namespace, workload: Callable[[Tokenizer], Workload]) -> int:
    """Compare on the workload, print a line per engine and the ratio, write what was asked for."""
    check(args)
    found = compare(args, model_path(args), workload)
    return report(benchmark, args, found, row_lines, lambda result, path: draw([result], path))


def compare(
    args: argparse.Namespace, path: Path, of: Callable[[Tokenizer], Workload]
) -> dict[str, Any]:
    """Rows of Midline and its peer, each in a process of its own, and their ratio."""
    file = read_gguf(path)
    workload = of(Tokenizer.from_gguf(file))
    sparsity = args.sparsity or 0.0
    find_profile(path, sparsity)
    options = {
        "exact": args.exact,
        "cache_tokens": workload.cache_tokens,
        "sparsity": sparsity,
    }
    isa = getattr(args, "isa", None)
    names = [OURS[getattr(args, "engine", "native")], *([args.peer] if args.peer else [])]
    restrictions = [environment(name, isa) for name in names]
    with ExitStack() as stack:
        threads = thread_count(args.threads)
        engines = [
            stack.enter_context(RemoteEngine(name, path, threads, options, variables))
            for name, variables in zip(names, restrictions, strict=True)
        ]
        for engine in engines:
            check_features(engine.name, isa, engine.versions)
        bandwidth = engines[0].call("read_bandwidth", seconds=1.0)
        dot_rate = engines[0].call("dot_rate", seconds=0.5)
        pids = [engine.pid for engine in engines]
        before = BackgroundLoad.now(pids)
        seconds = interleave(engines, workload, args.runs)
        after = BackgroundLoad.now(pids)
        rows = [
            row(engine, workload, found, model_work(file))
            for engine, found in zip(engines, seconds, strict=True)
        ]
        versions = {key: value for engine in engines for key, value in engine.versions.items()}
    ratios = pair_ratios(*seconds) if args.peer else []
    return {
        "versions": versions,
        "isa": versions["midline kernels"],
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
