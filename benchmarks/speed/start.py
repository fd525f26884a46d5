"""Start-up time: from a new process to its first token, with packed weights on disk."""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from midline.benchmarks.speed import flags
from midline.benchmarks.speed.report import report
from midline.model.errors import MidlineError
from midline.model.threads import thread_count

PROGRAM = """
import sys
from midline.model.engines.base import Request, SamplingOptions
from midline.model.engines.native.engine import NativeEngine
engine = NativeEngine.load(sys.argv[1], threads=int(sys.argv[2]))
prompt = engine.tokenizer.encode("def add(first, second):\\n    return")
engine.generate(Request(prompt), SamplingOptions(max_tokens=1))
print(engine.load_ms, flush=True)
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the number of runs."""
    flags.add(parser, runs=flags.RUNS)


def run(args: argparse.Namespace) -> int:
    """Start processes one after the other and print the median time."""
    flags.check(args)
    path, threads = flags.model_path(args), thread_count(args.threads)
    return report("start", args, measure(path, threads, args.runs), lines)


def measure(path: Path, threads: int, runs: int) -> dict[str, Any]:
    """Seconds of `runs` after a first one, which packs the weights and fills the page cache."""
    command = [sys.executable, "-P", "-c", PROGRAM, str(path), str(threads)]
    found = [_first_token(command) for _ in range(runs + 1)][1:]
    seconds = [seconds for seconds, _ in found]
    return {
        "versions": {},
        "seconds": seconds,
        "load_seconds": [load for _, load in found],
        "median_seconds": statistics.median(seconds),
        "file_bytes": path.stat().st_size,
    }


def _first_token(command: list[str]) -> tuple[float, float]:
    """Seconds from the call to the line the process prints after its token, and of loading."""
    start = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        seconds = time.perf_counter() - start
    if process.returncode != 0:
        raise MidlineError("the started process failed; its message is above")
    return seconds, float(line) / 1e3


def lines(result: dict[str, Any]) -> list[str]:
    """The result as printed."""
    load = statistics.median(result["load_seconds"])
    return [f"first token after {result['median_seconds']:.2f} s, {load:.2f} s of it loading"]
