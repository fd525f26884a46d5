"""`midline-bench quality sparsity`: the cost of skipping weights, by sparsity level.

The tokens of MBXP's own solutions are forced through the model after their problem; the problem is
dense, the solution sparse, in steps of many rows that compute the numbers of sparse one-row decode
(tests/unit/model/teal/test_profile.py). Perplexity is of all solution tokens together; agreement
counts positions whose likeliest token is the dense one. Bytes are those of weights that one decoded
token reads, from the channels that survived. With `--gate` nothing is measured: see
`midline.benchmarks.quality.sparsity.gate`.
"""

import argparse
import itertools
import json
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

from midline.benchmarks.figures.figure import RESULTS
from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.statistics import Z95
from midline.benchmarks.mbxp.tasks import Task, data_folder, load_tasks
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.sparsity import gate
from midline.benchmarks.quality.sparsity.decode_bytes import DecodeBytes
from midline.model.compression.teal_calibration import measure, read_text
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.runtime.decoder import EXACT_ROWS, StepOptions
from midline.model.runtime.kv_cache import Sequence as Cached
from midline.model.teal.profile import Allocation, Criterion, Profile, check_level, find_profile

VARIANTS: dict[str, tuple[Allocation, Criterion]] = {
    "uniform": ("uniform", "magnitude"),
    "greedy": ("greedy", "magnitude"),
    "weighted": ("uniform", "weighted"),
    "greedy-weighted": ("greedy", "weighted"),
}
SHIPPED = "shipped"
LANGUAGES = ("python", "java", "javascript", "cpp")
LEVELS = (0.25, 0.4, 0.5, 0.6)
TAPPED_TASKS = 6
LEAST_SOLUTION = 8


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Model, problems, levels and variants."""
    add = parser.add_argument
    add("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    add("--data", metavar="DIR", help="folder of the MBXP problems")
    add("--lang", nargs="+", default=list(LANGUAGES), metavar="L", help="their languages")
    add("--limit", type=int, default=40, metavar="N", help="problems of each language")
    add("--levels", type=float, nargs="+", default=list(LEVELS), metavar="S")
    add("--variants", nargs="+", choices=[*VARIANTS, SHIPPED], default=[SHIPPED],
        help="the profiles in use, or forms calibrated here from --text")  # fmt: skip
    add("--text", type=Path, nargs="+", metavar="PATH", help="calibration text of the variants")
    add("--threads", type=int, metavar="N", help="default: the physical cores")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")
    add("--plot", type=output_file, metavar="FILE", help="draw perplexity over bytes")
    add("--gate", action="store_true",
        help="print the highest level that passes the quality gate")  # fmt: skip
    add("--pass-at-1", nargs="+", metavar="S=PATH",
        help="gate: MBXP results of a level, 0 for dense, not the recorded ones")  # fmt: skip
    add(
        "--results",
        type=Path,
        default=RESULTS,
        metavar="DIR",
        help="with --gate: folder of the recorded results",
    )


@dataclass
class Scores:
    """Sums over solution tokens; `best` is each position's likeliest token."""

    best: list[int] = field(default_factory=list)
    of_problem: list[tuple[float, int]] = field(default_factory=list)
    """Negative log-probability and number of tokens of each problem."""

    @property
    def tokens(self) -> int:
        """Tokens scored."""
        return len(self.best)

    @property
    def perplexity(self) -> float:
        """Exponential of the mean natural negative log-probability."""
        return float(np.exp(sum(nats for nats, _ in self.of_problem) / self.tokens))


@dataclass(frozen=True)
class Forced:
    """One problem, computed and cached, with the logits of its end, and its solution's tokens."""

    prompt: Cached
    last: NDArray[np.float32]
    solution: list[int]


def run(args: argparse.Namespace) -> int:
    """Measure dense and every variant and level; print the table, write what was asked for."""
    if args.gate:
        return _gate(args)
    for level in args.levels:
        check_level(level)
    if args.limit < 1:
        raise UsageError("--limit needs at least 1")
    tasks = _tasks(args)
    engine = NativeEngine.load(args.model, threads=args.threads, cache_tokens=len(tasks) * 1024)
    profiles = list(_profiles(engine, args))
    forced = [_force(engine, task) for task in tasks]
    forced = [one for one in forced if len(one.solution) >= LEAST_SOLUTION]
    sizes = DecodeBytes.of(engine.decoder)
    dense = score(engine, forced, None)
    rows: list[dict[str, Any]] = [
        _row("dense", 0.0, dense, dense, sizes.dense, sizes.dense, np.ones(sizes.codes.shape))
    ]
    console = Console(stderr=True)
    scores: dict[tuple[str, float], Scores] = {}
    for variant, level, profile in track(profiles, "levels", console=console):
        found = scores[variant, level] = score(engine, forced, profile)
        kept = densities(engine, forced[:TAPPED_TASKS], profile)
        rows.append(_row(variant, level, found, dense, sizes.of_token(kept), sizes.dense, kept))
    result = {
        **_head("sparsity", args),
        "languages": args.lang,
        "problems": len(forced),
        "rows": rows,
        "over_uniform": over_uniform(scores),
    }
    print("\n".join([*table(rows), *map(_compared, result["over_uniform"])]))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    if args.plot:
        from midline.benchmarks.quality.sparsity.plot import draw

        draw(result, args.plot)
    return 0


def _gate(args: argparse.Namespace) -> int:
    result = {**_head("sparsity-gate", args), **gate.judged(args)}
    print("\n".join(gate.table(result)))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def _head(benchmark: str, args: argparse.Namespace) -> dict[str, Any]:
    return {
        "benchmark": benchmark,
        "model": args.model,
        "command": shlex.join(["midline-bench", *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": describe_versions(),
    }


def _tasks(args: argparse.Namespace) -> list[Task]:
    found: list[Task] = []
    for language in args.lang:
        tasks = load_tasks(data_folder(args.data), [language]).values()
        solved = [task for task in tasks if task.canonical_solution]
        # Spread over the data, because neighbouring problems are similar.
        found += solved[:: max(1, len(solved) // args.limit)][: args.limit]
    if not found:
        raise UsageError(f"none of the problems in {', '.join(args.lang)} has a solution to force")
    return found


def _profiles(
    engine: NativeEngine, args: argparse.Namespace
) -> Iterator[tuple[str, float, Profile]]:
    """(variant, level, profile) of everything that is to be measured besides dense."""
    own = [name for name in args.variants if name != SHIPPED]
    if own and not args.text:
        raise UsageError("variants are calibrated here: name --text, or measure the shipped ones")
    if own:
        with Console(stderr=True).status("calibrating"):
            measured = measure(engine, read_text(args.text), "text of this measurement")
    for name, level in itertools.product(args.variants, args.levels):
        if level == 0:
            continue
        if name == SHIPPED:
            profile = find_profile(engine.path, level)
            assert profile is not None
        else:
            profile = measured.profile(level, *VARIANTS[name])
        yield name, level, profile


def _force(engine: NativeEngine, task: Task) -> Forced:
    """The problem, prefilled densely in pieces small enough for row invariance."""
    tokenizer = engine.tokenizer
    ids = tokenizer.with_bos(tokenizer.encode(task.prompt))
    sequence, last = Cached(), np.empty((0, 0), np.float32)
    for piece in _pieces(ids):
        last = engine.decoder.forward([(sequence, piece)], options=StepOptions(exact=True))
    sequence.sparse_from = len(ids)
    return Forced(sequence, last[0].copy(), tokenizer.encode(task.canonical_solution or ""))


def _pieces(ids: Sequence[int]) -> Iterator[list[int]]:
    for start in range(0, len(ids), EXACT_ROWS):
        yield list(ids[start : start + EXACT_ROWS])


def _options(engine: NativeEngine, profile: Profile | None) -> StepOptions:
    thresholds = engine.decoder.thresholds(profile) if profile else None
    return StepOptions(exact=True, thresholds=thresholds)


def score(engine: NativeEngine, forced: Sequence[Forced], profile: Profile | None) -> Scores:
    """Every solution forced through the model; the first token of each comes from its problem."""
    options, scores = _options(engine, profile), Scores()
    for one in forced:
        sequence = engine.decoder.cache.fork(one.prompt)
        nats = _add(scores, one.last[None], one.solution[:1])
        at = 1
        for piece in _pieces(one.solution[:-1]):
            logits = engine.decoder.forward([(sequence, piece)], logits="all", options=options)
            nats += _add(scores, logits, one.solution[at : at + len(piece)])
            at += len(piece)
        scores.of_problem.append((nats, len(one.solution)))
        engine.release(sequence)
    return scores


def _add(scores: Scores, logits: NDArray[np.float32], wanted: Sequence[int]) -> float:
    """Nats of the `wanted` tokens; what would have been likeliest goes into `scores`."""
    peak = logits.max(axis=1)
    total = np.exp(logits - peak[:, None]).sum(axis=1, dtype=np.float64)
    right = logits[np.arange(len(wanted)), wanted]
    scores.best += logits.argmax(axis=1).tolist()
    return float((np.log(total) + peak - right).sum())


def over_uniform(scores: Mapping[tuple[str, float], Scores]) -> list[dict[str, Any]]:
    """Nats a token of each variant less those of uniform levels that skip as much.

    The interval of 95% is of problems: each one's difference, weighted with its tokens.
    """
    rows = []
    for (variant, level), found in scores.items():
        uniform = scores.get(("uniform", level))
        if uniform is None or variant == "uniform":
            continue
        pairs = zip(found.of_problem, uniform.of_problem, strict=True)
        nats = np.array([one - other for (one, _), (other, _) in pairs])
        mean = nats.sum() / found.tokens
        tokens = np.array([count for _, count in found.of_problem])
        half = Z95 * float(np.sqrt(((nats - mean * tokens) ** 2).sum())) / found.tokens
        rows.append(
            {
                "variant": variant,
                "sparsity": level,
                "difference": float(mean),
                "interval": [float(mean - half), float(mean + half)],
                "upper_bound": float(mean + half),
            }
        )
    return rows


def _compared(row: dict[str, Any]) -> str:
    low, high = row["interval"]
    return (
        f"{row['variant']} less uniform at {row['sparsity']:.0%}: {row['difference']:+.4f} nats a "
        f"token [{low:+.4f}, {high:+.4f}]"
    )


def densities(
    engine: NativeEngine, forced: Sequence[Forced], profile: Profile | None
) -> NDArray[np.float64]:
    """Share of the channels that survive in solution tokens: float64 [layers, 4]."""
    options = _options(engine, profile)
    widths = DecodeBytes.of(engine.decoder).widths
    borders = np.cumsum([0, *widths])
    kept, tokens = np.zeros((engine.config.layers, len(widths))), 0
    for one in forced:
        sequence = engine.decoder.cache.fork(one.prompt)
        for piece in _pieces(one.solution):
            alive = engine.decoder.activations(sequence, piece, options) != 0
            for j in range(len(widths)):
                kept[:, j] += alive[:, :, borders[j] : borders[j + 1]].sum(axis=(0, 2))
            tokens += len(piece)
        engine.release(sequence)
    return kept / (tokens * np.asarray(widths))


def _row(
    variant: str, level: float, found: Scores, dense: Scores, nbytes: float, dense_bytes: float,
    kept: NDArray[np.float64],
) -> dict[str, Any]:  # fmt: skip
    agreed = sum(a == b for a, b in zip(found.best, dense.best, strict=True))
    return {
        "variant": variant,
        "sparsity": level,
        "tokens": found.tokens,
        "perplexity": found.perplexity,
        "perplexity_rise": found.perplexity / dense.perplexity - 1,
        "agreement": agreed / found.tokens,
        "bytes_per_token": round(nbytes),
        "bytes_ratio": dense_bytes / nbytes,
        "kept_channels": dict(
            zip(("qkv", "out", "gate_up", "down"), kept.mean(axis=0).round(4).tolist(), strict=True)
        ),
    }


def table(rows: Sequence[dict[str, Any]]) -> list[str]:
    """The rows as printed."""
    lines = ["variant          level  perplexity    rise  agreement  MB/token  fewer bytes"]
    lines += [
        f"{row['variant']:<16} {row['sparsity']:>5.0%} {row['perplexity']:>11.4f} "
        f"{row['perplexity_rise']:>7.2%} {row['agreement']:>10.2%} "
        f"{row['bytes_per_token'] / 1e6:>9.1f} {row['bytes_ratio']:>11.2f}x"
        for row in rows
    ]
    return lines
