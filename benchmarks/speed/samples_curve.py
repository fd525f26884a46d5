"""Time, memory traffic and memory of many samples over one, by the length of the shared prompt.

A prompt is prefilled once; then different numbers of samples are decoded in turn in one process, so
that a ratio compares neighbouring runs. Only decode steps are timed, with the whole output matrix.
One sample with the screened output matrix, as in greedy decoding, is measured for comparison.
"""

import argparse
import os
import statistics
import time
from collections.abc import Sequence as Ids
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from midline import kernels
from midline.benchmarks.speed import flags
from midline.benchmarks.speed.background_load import BackgroundLoad, warnings
from midline.benchmarks.speed.report import report
from midline.benchmarks.speed.work import model_work
from midline.benchmarks.speed.workload import prompt_ids
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.runtime.decoder import StepOptions
from midline.model.runtime.kv_cache import PAGE, Sequence
from midline.model.threads import thread_count
from midline.model.weights.gguf import read_gguf

CONTEXTS = (256, 1024, 2048, 4096)
COUNTS = (1, 2, 4, 8, 16, 32)
COLOURS = ("#9ecae1", "#4f94cd", "#2f6fb2", "#0b3c73")


@dataclass(frozen=True)
class Run:
    """Seconds of all steps, and the bytes of pages that the samples held besides the prompt's."""

    seconds: float
    tail_bytes: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the steps of a run, the longest context and the picture."""
    flags.add(parser, "plot", tokens=16, context=4096, runs=flags.RUNS)


def run(args: argparse.Namespace) -> int:
    """Time all numbers of samples with all contexts."""
    flags.check(args)
    path, threads = flags.model_path(args), thread_count(args.threads)
    found = measure(path, threads, args.tokens, args.context, runs=args.runs)
    return report("samples-curve", args, found, lines, draw)


def measure(path: Path, threads: int, tokens: int, context: int, *, runs: int) -> dict[str, Any]:
    """Rows by context, up to `context` tokens, and number of samples; `tokens` steps a run."""
    contexts = [length for length in CONTEXTS if length < context] + [context]
    room = (max(contexts) + PAGE) + (max(COUNTS) + 1) * (tokens + 2 * PAGE)
    engine = NativeEngine.load(path, threads=threads, cache_tokens=room)
    if max(contexts) + tokens > engine.context_length:
        raise UsageError(
            f"--context {context} with {tokens} tokens is more than the {engine.context_length} of "
            f"{engine.name}; ask for less"
        )
    traffic = Traffic.of(engine, path)
    before = BackgroundLoad.now([os.getpid()])
    rows = [row for length in contexts for row in _rows(engine, traffic, length, tokens, runs)]
    after = BackgroundLoad.now([os.getpid()])
    return {
        "tokens": tokens,
        "versions": {"midline kernels": kernels.kernel_name()},
        "threads": threads,
        "read_gb_per_second": float(kernels.read_bandwidth(threads, 1.0)) / 1e9,
        "kv_bytes_per_token": traffic.kv_bytes,
        "busy_elsewhere_cores": after.since(before) if before and after else None,
        "rows": rows,
    }


@dataclass(frozen=True)
class Traffic:
    """What a step has to read at least: all weights, and keys and values of a token (bytes)."""

    weight_bytes: int
    kv_bytes: int

    @classmethod
    def of(cls, engine: NativeEngine, path: Path) -> "Traffic":
        """As the model's file and the cache's pages have them."""
        page_bytes = engine.decoder.cache.pool.page_halves * 2
        return cls(model_work(read_gguf(path)).step_bytes(), page_bytes // PAGE)

    def tail_bytes(self, context: int, tokens: int) -> int:
        """Bytes of the pages that hold `tokens` after a prompt, with the page in which it ends."""
        return -(-(context % PAGE + tokens) // PAGE) * PAGE * self.kv_bytes

    def step(self, context: int, samples: int, tokens: int) -> dict[str, float]:
        """Bytes of a step in the middle of a run, by what is read; also with nothing shared."""
        tails = samples * (tokens + 1) / 2 * self.kv_bytes
        shared = context * self.kv_bytes
        return {
            "weight_bytes": self.weight_bytes,
            "shared_bytes": shared,
            "tail_bytes": tails,
            "step_bytes": self.weight_bytes + shared + tails,
            "unshared_step_bytes": self.weight_bytes + samples * shared + tails,
        }


def _rows(
    engine: NativeEngine, traffic: Traffic, context: int, tokens: int, runs: int
) -> list[dict[str, Any]]:
    """One prompt: a row for each number of samples, and one for a screened sample."""
    prompt = Sequence()
    ids = prompt_ids(engine.tokenizer, context)
    (last,) = engine.decoder.forward([(prompt, ids)], options=StepOptions(exact=True))
    first = np.argsort(last)[::-1].tolist()
    ways = [(1, False), *((count, True) for count in COUNTS)]
    for way in ways:
        decode(engine, prompt, first, 2, *way)
    found: dict[tuple[int, bool], list[Run]] = {way: [] for way in ways}
    for _ in range(runs):
        for way in ways:
            found[way].append(decode(engine, prompt, first, tokens, *way))
    engine.release(prompt)
    alone, tail_bytes = found[1, True], traffic.tail_bytes(context, tokens)
    return [
        {
            "context": context,
            "samples": samples,
            "output_matrix": "exact" if exact else "screened",
            **traffic.step(context, samples, tokens),
            **_figures(each, alone, tokens, samples),
            "memory_over_tails": each[0].tail_bytes / (samples * tail_bytes),
            "over_screened_one": _ratio(each, found[1, False]),
        }
        for (samples, exact), each in found.items()
    ]


def decode(
    engine: NativeEngine, prompt: Sequence, first: Ids[int], tokens: int, samples: int, exact: bool
) -> Run:
    """`tokens` steps of `samples` sequences after `prompt`, different from their first token on."""
    decoder, options = engine.decoder, StepOptions(exact=exact)
    pool = decoder.cache.pool
    free = pool.free_pages
    sequences = [decoder.cache.fork(prompt) for _ in range(samples)]
    current = list(first[:samples])
    started = time.perf_counter()
    for _ in range(tokens):
        batch = [(sequence, [id]) for sequence, id in zip(sequences, current, strict=True)]
        current = decoder.forward(batch, options=options).argmax(axis=1).tolist()
    seconds = time.perf_counter() - started
    held = (free - pool.free_pages) * pool.page_halves * 2
    for sequence in sequences:
        decoder.cache.finish(sequence, remember=False)
    return Run(seconds, held)


def _figures(runs: Ids[Run], alone: Ids[Run], tokens: int, samples: int) -> dict[str, Any]:
    """Times of a row, and its memory beside the prompt's and beyond one sample's."""
    median = statistics.median(run.seconds for run in runs)
    tail, held = alone[0].tail_bytes, runs[0].tail_bytes
    return {
        "seconds": [run.seconds for run in runs],
        "milliseconds_per_step": median / tokens * 1e3,
        "tokens_per_second": samples * tokens / median,
        "over_one": _ratio(runs, alone),
        "tail_megabytes": held / 1e6,
        "megabytes_over_one": (held - tail) / 1e6,
    }


def _ratio(runs: Ids[Run], others: Ids[Run]) -> float:
    """How many times longer, the median of runs next to each other."""
    return statistics.median(a.seconds / b.seconds for a, b in zip(runs, others, strict=True))


def lines(result: dict[str, Any]) -> list[str]:
    """One line a row."""
    rate = result["read_gb_per_second"] * 1e9
    found = ["context  samples  ms/step  over one  of traffic alone  tokens/s  MB over one's"]
    for row in result["rows"]:
        if row["output_matrix"] == "exact":
            found.append(
                f"{row['context']:>7} {row['samples']:>8} {row['milliseconds_per_step']:>8.1f}"
                f" {row['over_one']:>8.2f}x {row['step_bytes'] / rate * 1e3:>14.1f} ms"
                f" {row['tokens_per_second']:>9.1f} {row['megabytes_over_one']:>12.2f}"
            )
    found.append(f"memory reads at {result['read_gb_per_second']:.1f} GB/s")
    return [*found, *warnings(result["busy_elsewhere_cores"])]


def draw(result: dict[str, Any], path: Path) -> None:
    """Draw milliseconds of a step over samples, a line a context, its traffic's time dotted."""
    try:
        import matplotlib
    except ModuleNotFoundError as error:
        raise UsageError("a plot needs matplotlib: install it and try again") from error
    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(6.4, 4.4), layout="constrained")
    rows = [row for row in result["rows"] if row["output_matrix"] == "exact"]
    rate = result["read_gb_per_second"] * 1e9
    for number, context in enumerate(dict.fromkeys(row["context"] for row in rows)):
        own = [row for row in rows if row["context"] == context]
        counts = [row["samples"] for row in own]
        colour = COLOURS[number % len(COLOURS)]
        times = [row["milliseconds_per_step"] for row in own]
        axis.plot(counts, times, "o-", color=colour, label=f"{context} shared tokens")
        least = [row["step_bytes"] / rate * 1e3 for row in own]
        axis.plot(counts, least, ":", color=colour)
    axis.set_xscale("log", base=2)
    axis.set_xticks(list(COUNTS), [str(count) for count in COUNTS])
    axis.set_ylim(bottom=0)
    axis.set_xlabel("samples of one prompt")
    axis.set_ylabel("ms a step (dotted: its bytes at the machine's read speed)")
    axis.set_title(f"{Path(result['model']).name}: a step of many samples", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)
    axis.legend(fontsize=8, frameon=False)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
