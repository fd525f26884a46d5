"""Start, loading, prefill, decode and MBXP throughput against another installation of Midline.

Both are driven by their commands alone, with the same arguments, one after the other in pairs, the
first of a pair taking turns. Each run is a process of its own, so that whatever a user pays at a
start is paid here. The other installation's option names have to be those of this one.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.installations import other_and_own
from midline.benchmarks.quality.prompts import load_prompts
from midline.benchmarks.speed import flags
from midline.benchmarks.speed.background_load import BackgroundLoad, warnings
from midline.benchmarks.speed.report import report
from midline.model.errors import MidlineError, UsageError

PROMPT_CHARACTERS = 1800
"""Of the prefilled prompt: about 512 tokens of code."""
DECODED = 96
"""Tokens of a run of decoding."""
PAUSE = 0.2
"""Seconds between two runs."""
QUANTITIES = {
    "start": "process to first token, s",
    "load": "loading the model, s",
    "start-512": "process to first token after 512, s",
    "prefill": "prefill of 512 as reported, s",
    "decode-dense": "decode, dense, s a token",
    "decode-default": "decode, default options, s a token",
    "mbxp": "execution of MBXP samples, s",
}
Measure = Callable[[Path], dict[str, float]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the other installation, MBXP samples to execute, and the shared flags."""
    parser.add_argument(
        "other", type=Path, metavar="MIDLINE", help="the `midline` command of another installation"
    )
    parser.add_argument(
        "--mbxp", type=Path, metavar="SAMPLES.jsonl", help="execute these completions too"
    )
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the MBXP problems")
    flags.add(parser, runs=flags.RUNS)


def run(args: argparse.Namespace) -> int:
    """Measure both installations in pairs; print the median ratio of every quantity."""
    flags.check(args)
    both = other_and_own(args.other)
    if args.mbxp and not args.mbxp.is_file():
        raise UsageError(f"{args.mbxp} is not a file of samples; `mbxp run` writes one")
    before, spent = BackgroundLoad.now([]), sum(os.times()[:4])
    rows = measure(both, _measurements(args), args.runs)
    after, spent = BackgroundLoad.now([]), sum(os.times()[:4]) - spent
    found: dict[str, Any] = {
        "versions": {},
        "other": _version(args.other),
        "rows": rows,
        "busy_elsewhere_cores": _elsewhere(before, after, spent),
    }
    return report("versions", args, found, lines)


def measure(
    both: Sequence[Path], measurements: Iterable[Measure], runs: int
) -> list[dict[str, Any]]:
    """A row for each quantity: the other's values, ours, the ratios of the pairs, their median.

    Every quantity is one of which less is better, so that a ratio above 1 means that this
    installation is the faster one. The first pair of a measurement warms caches and is dropped.
    """
    rows = []
    for of in measurements:
        found: tuple[list[dict[str, float]], list[dict[str, float]]] = ([], [])
        for number in range(runs + 1):
            for which in (0, 1) if number % 2 else (1, 0):
                time.sleep(PAUSE)
                found[which].append(of(both[which]))
        for name in found[0][0]:
            theirs, ours = ([each[name] for each in side[1:]] for side in found)
            ratios = [a / b for a, b in zip(theirs, ours, strict=True)]
            rows.append(
                {
                    "name": name,
                    "other": theirs,
                    "midline": ours,
                    "pair_ratios": ratios,
                    "ratio": statistics.median(ratios),
                }
            )
    return rows


def _elsewhere(
    before: BackgroundLoad | None, after: BackgroundLoad | None, spent: float
) -> float | None:
    """Mean number of cores that others used; `spent`: processor seconds of our own commands."""
    if before is None or after is None:
        return None
    return max(0.0, after.since(before) - spent / (after.clock - before.clock))


def _measurements(args: argparse.Namespace) -> list[Measure]:
    text = max((prompt.text for prompt in load_prompts()), key=len)[:PROMPT_CHARACTERS]
    common = ["--prompt", "raw", "--temperature", "0", "--json", "--model", args.model]
    if args.threads:
        common += ["--threads", str(args.threads)]
    dense = [*common, "--sparsity", "0", "--draft", "none"]

    def first_token(executable: Path) -> dict[str, float]:
        seconds, answer = _called(executable, ["generate", "def f(", "--max-tokens", "1", *dense])
        return {
            "start": seconds,
            "load": answer["timings"]["load_ms"] / 1e3,
        }

    def prefill(executable: Path) -> dict[str, float]:
        seconds, answer = _called(executable, ["generate", text, "--max-tokens", "1", *dense])
        # Versions differ in what they time as prefill; the whole process shows the sum.
        return {
            "start-512": seconds,
            "prefill": answer["timings"]["prefill_ms"] / 1e3,
        }

    def decode(executable: Path) -> dict[str, float]:
        words = ["generate", text[:400], "--max-tokens", str(DECODED)]
        _, answer = _called(executable, [*words, *dense])
        _, sparse = _called(executable, [*words, *common])
        return {
            "decode-dense": _seconds_per_token(answer),
            "decode-default": _seconds_per_token(sparse),
        }

    def programs(executable: Path) -> dict[str, float]:
        return {"mbxp": _evaluated(executable, args.mbxp, args.data)}

    return [first_token, prefill, decode, *([programs] if args.mbxp else [])]


def _seconds_per_token(answer: dict[str, Any]) -> float:
    return 1.0 / float(answer["timings"]["decode_tokens_per_second"])


def _called(executable: Path, words: list[str]) -> tuple[float, dict[str, Any]]:
    """Wall seconds of one call of `midline`, and its JSON answer."""
    started = time.perf_counter()
    done = subprocess.run([executable, *words], capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - started
    if done.returncode:
        raise MidlineError(f"{executable} failed: {done.stderr.strip()}")
    return seconds, dict(json.loads(done.stdout))


def _evaluated(executable: Path, samples: Path, data: Path | None) -> float:
    """Wall seconds of the execution of all samples into an empty folder."""
    with tempfile.TemporaryDirectory() as folder:
        words: list[Path | str] = [executable.with_name("midline-bench"), "mbxp", "evaluate"]
        words += [samples, "--out", folder]
        words += ["--data", data] if data else []
        started = time.perf_counter()
        done = subprocess.run(words, capture_output=True, text=True, check=False)
        seconds = time.perf_counter() - started
    if done.returncode:
        raise MidlineError(f"{words[0]} failed: {done.stderr.strip()}")
    return seconds


def _version(executable: Path) -> str:
    done = subprocess.run([executable, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def lines(result: dict[str, Any]) -> list[str]:
    """One line for each quantity."""
    found = [
        f"{QUANTITIES[row['name']]:<36} {statistics.median(row['other']):>8.4f} before   "
        f"{statistics.median(row['midline']):>8.4f} now   {row['ratio']:.3f}x as fast "
        f"({min(row['pair_ratios']):.2f} to {max(row['pair_ratios']):.2f})"
        for row in result["rows"]
    ]
    return [*found, *warnings(result["busy_elsewhere_cores"])]
