"""Speed of matrix-vector products with channels skipped (TEAL) over the same products dense."""

import argparse
import statistics
from pathlib import Path
from typing import Any

import numpy as np

from midline import kernels
from midline.benchmarks.speed import flags
from midline.benchmarks.speed.report import report
from midline.model.engines.native.engine import NativeEngine
from midline.model.teal.profile import INPUTS, CalibrationText, Profile
from midline.model.teal.thresholds import input_widths
from midline.model.threads import thread_count

CACHE_TOKENS = 512


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the share of channels to skip and the number of passes."""
    flags.add(parser, tokens=8, sparsity=0.5, runs=flags.RUNS)


def run(args: argparse.Namespace) -> int:
    """Time the products dense and sparse by turns; UsageError where nothing is to be skipped."""
    flags.check(args)
    flags.check_something_to_skip(args)
    path, threads = flags.model_path(args), thread_count(args.threads)
    return report(
        "sparse", args, measure(path, threads, args.tokens, args.sparsity, args.runs), lines
    )


def measure(path: Path, threads: int, tokens: int, level: float, runs: int) -> dict[str, Any]:
    """Milliseconds of each kind of matrix in all layers, dense and sparse by turns, and ratios.

    A run is `tokens` passes through the layers; channels are dropped at random, `level` of them.
    """
    engine = NativeEngine.load(path, threads=threads, cache_tokens=CACHE_TOKENS)
    decoder = engine.decoder
    rng = np.random.default_rng(0)
    inputs = [rng.normal(0, 1, n).astype(np.float32) for n in input_widths(engine.config)]
    cuts = tuple(float(np.quantile(np.abs(x), level)) for x in inputs)
    rows = (cuts,) * engine.config.layers
    text = CalibrationText("random numbers", "", 0)
    sparse = decoder.thresholds(Profile(engine.name, "", level, "magnitude", "uniform", rows, text))
    decoder.time_products(inputs, None, 1)
    pairs = [
        [decoder.time_products(inputs, thresholds, tokens) for thresholds in (None, sparse)]
        for _ in range(runs)
    ]
    dense, skipping = zip(*pairs, strict=True)
    kinds = {
        name: {
            "dense_ms": 1e3 * statistics.median(run[j] for run in dense),
            "sparse_ms": 1e3 * statistics.median(run[j] for run in skipping),
            "ratio": statistics.median(a[j] / b[j] for a, b in pairs),
            "run_bytes": decoder.weights.matrix(f"0.{name}").run_bytes,
        }
        for j, name in enumerate(INPUTS)
    }
    return {
        "passes": tokens,
        "sparsity": level,
        "versions": {"midline kernels": kernels.kernel_name()},
        "matrices": kinds,
        "pair_ratios": [sum(a) / sum(b) for a, b in pairs],
        "ratio": statistics.median(sum(a) / sum(b) for a, b in pairs),
    }


def lines(result: dict[str, Any]) -> list[str]:
    """The result as printed."""
    found = [
        f"{name:<8} runs of {row['run_bytes']:>5} bytes   dense {row['dense_ms']:>7.2f} ms   "
        f"sparse {row['sparse_ms']:>7.2f} ms   ratio {row['ratio']:.2f}"
        for name, row in result["matrices"].items()
    ]
    low, high = min(result["pair_ratios"]), max(result["pair_ratios"])
    return [
        *found,
        f"all matrices: ratio {result['ratio']:.2f} (pairs from {low:.2f} to {high:.2f})",
    ]
