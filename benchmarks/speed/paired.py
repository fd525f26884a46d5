"""Paired, interleaved runs of two engines; every raw time is kept."""

import statistics
import time
from typing import Any

from midline.benchmarks.speed.remote import RemoteEngine
from midline.benchmarks.speed.work import ModelWork
from midline.benchmarks.speed.workload import Workload

PAUSE = 0.2
"""Seconds between runs, so that the spinning threads of the other engine go to sleep."""


def interleave(engines: list[RemoteEngine], workload: Workload, runs: int) -> list[list[float]]:
    """Seconds [engine][run] after one warm-up of each engine."""
    for engine in engines:
        engine.call(workload.method, **workload.arguments)
    seconds: list[list[float]] = [[] for _ in engines]
    for _ in range(runs):
        for engine, found in zip(engines, seconds, strict=True):
            time.sleep(PAUSE)
            found.append(engine.call(workload.method, **workload.arguments))
    return seconds


def pair_ratios(ours: list[float], peer: list[float]) -> list[float]:
    """Speed of ours relative to the peer, pair by pair."""
    return [theirs / mine for mine, theirs in zip(ours, peer, strict=True)]


def row(
    engine: RemoteEngine, workload: Workload, seconds: list[float], work: ModelWork
) -> dict[str, Any]:
    """One engine's row of a result.

    `weights_gb_per_second` counts the file's bytes of every pass, read or not: an engine that
    skips some shows more than it reads. `multiply_adds_per_second` counts the matrix products.
    """
    median = statistics.median(seconds)
    sums = work.multiply_adds(workload.timed_tokens, workload.output_rows)
    return {
        "engine": engine.name,
        "tokens": workload.tokens,
        "context": workload.context,
        "samples": workload.samples,
        "sparsity": engine.settings.get("sparsity", 0.0),
        "tokens_per_second": workload.timed_tokens / median,
        "seconds": seconds,
        "weights_gb_per_second": work.step_bytes() * workload.passes / median / 1e9,
        "multiply_adds_per_second": sums / median,
        "resident_bytes": engine.resident_bytes,
        "settings": engine.settings,
    }
