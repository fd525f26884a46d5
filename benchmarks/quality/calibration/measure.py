"""Calibrate TEAL on different kinds of text, and measure what that does to the model.

Each arm is a kind of text: random code, random code of the lengths of the filtered, code that
passes the filter without near duplicates, code drawn by DSIR for a workspace, junk, and prose.
For each draw a greedy profile is calibrated, and MBXP's own solutions are forced through the
model: their perplexity, and the mean KL divergence from dense. A difference whose interval
includes 0 shows nothing. Calibrations are cached by their text, so that an interrupted run
continues; each takes a minute with the 0.5B.

--mbxp N also completes and executes N Python problems of MBXP with the profile of the first draw of
each of --mbxp-arms, and compares pass@1 with that of the first of them. Completions and verdicts
are kept in --out, and an interrupted run continues.

examples:
  midline-bench quality calibration --arms random junk --draws 2 --limit 10
  midline-bench quality calibration --draws 1 --mbxp 200 --mbxp-arms junk dsir --out build/arms
  midline-bench quality calibration --json calibration.json
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.tasks import Task, data_folder, load_tasks
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.calibration import execution
from midline.benchmarks.quality.calibration.arms import ARMS, Pool, text_of
from midline.benchmarks.quality.calibration.execution import CalibratedEngine
from midline.benchmarks.quality.greedy_passes import CACHE_TOKENS
from midline.benchmarks.student_t import student_t
from midline.model.compression.teal_calibration import measure
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.runtime.decoder import EXACT_ROWS, StepOptions
from midline.model.runtime.kv_cache import Sequence as Cached
from midline.model.teal.profile import Profile, check_level

LANGUAGES = ("python", "java", "javascript", "cpp")
BASELINE = "random"


@dataclass
class Held:
    """Sums over solution tokens: nats, divergence from dense in nats, and how many."""

    nats: float = 0.0
    divergence: float = 0.0
    tokens: int = 0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the level, the arms and the size."""
    add = parser.add_argument
    add("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    add("--sparsity", type=float, default=0.4, metavar="S", help="level of the profiles (0.4)")
    add("--arms", nargs="+", choices=tuple(ARMS), default=list(ARMS), metavar="ARM",
        help=f"of {', '.join(ARMS)} (all)")  # fmt: skip
    add("--draws", type=int, default=5, metavar="N", help="texts of each arm (5)")
    add("--per-language", type=int, default=60, metavar="N", help="files of each language (60)")
    add("--limit", type=int, default=20, metavar="N", help="problems of each language (20)")
    add("--data", metavar="DIR", help="folder of the MBXP problems")
    add("--trace", type=output_file, metavar="FILE", help="draws that are done, to continue from")
    add("--mbxp", type=int, default=0, metavar="N", help="Python problems to execute (0)")
    add("--mbxp-arms", nargs="+", choices=tuple(ARMS), metavar="ARM", help="of them (all)")
    add("--out", type=Path, metavar="DIR", help="folder of the completions and verdicts of --mbxp")
    add("--threads", type=int, metavar="N", help="default: the physical cores")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Calibrate and score every draw, print the arms, write what was asked for."""
    check_level(args.sparsity)
    if min(args.draws, args.limit, args.per_language) < 1:
        raise UsageError("--draws, --limit and --per-language need at least 1")
    if args.mbxp and args.out is None:
        raise UsageError("--mbxp needs --out DIR for completions and verdicts")
    tasks = held_out(args)
    pool = Pool.installed(args.per_language)
    engine = CalibratedEngine.load(args.model, threads=args.threads, cache_tokens=CACHE_TOKENS)
    assert isinstance(engine, CalibratedEngine)
    rows = drawn(args, engine, pool, tasks)
    result: dict[str, Any] = {
        "benchmark": "calibration",
        "model": args.model,
        "sparsity": args.sparsity,
        "machine": describe_machine(),
        "versions": describe_versions(),
        "problems": len(tasks),
        "rows": rows,
        "arms": summary(rows),
    }
    print("\n".join(lines(result["arms"])))
    if args.mbxp:
        result["mbxp"] = executed(args, engine, pool)
        print("\n".join(execution.lines(result["mbxp"])))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return 0


def executed(
    args: argparse.Namespace, engine: CalibratedEngine, pool: Pool
) -> list[dict[str, Any]]:
    """pass@1 with the profile of each arm's first draw."""
    tasks = execution.problems(args.data, args.mbxp)
    found = {}
    arms = args.mbxp_arms or args.arms
    for arm in arms:
        print(f"{arm}, MBXP", file=sys.stderr, flush=True)
        profile = partial(calibrated, args, engine, pool, arm, 0)
        found[arm] = execution.passed(engine, profile, tasks, args.out / arm)
    return execution.compared(found, arms[0])


def drawn(
    args: argparse.Namespace, engine: NativeEngine, pool: Pool, tasks: Sequence[Task]
) -> list[dict[str, Any]]:
    """A row for every draw of every arm; those of the trace are not measured again.

    All arms of a draw are scored together, so that an interrupted run has compared all of them.
    """
    rows = read_trace(args.trace)
    done = {(row["arm"], row["draw"]) for row in rows}
    for draw in range(args.draws):
        missing = [arm for arm in args.arms if (arm, draw) not in done]
        profiles = []
        for arm in missing:
            print(f"{arm}, draw {draw + 1} of {args.draws}", file=sys.stderr, flush=True)
            profiles.append(calibrated(args, engine, pool, arm, draw))
        held = score(engine, tasks, profiles)
        fresh = [_row(arm, draw, one) for arm, one in zip(missing, held, strict=True)]
        rows += fresh
        if args.trace:
            with args.trace.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in fresh)
    return [row for row in rows if row["arm"] in args.arms and row["draw"] < args.draws]


def calibrated(
    args: argparse.Namespace, engine: NativeEngine, pool: Pool, arm: str, draw: int
) -> Profile:
    """The profile of one draw."""
    found = measure(engine, text_of(arm, pool, draw), f"{arm} {draw}")
    return found.profile(args.sparsity, "greedy", "weighted", ())


def read_trace(trace: Path | None) -> list[dict[str, Any]]:
    """The rows of a trace, none without one."""
    if trace is None or not trace.is_file():
        return []
    return [json.loads(line) for line in trace.read_text("utf-8").splitlines()]


def held_out(args: argparse.Namespace) -> list[Task]:
    """Problems with solutions, spread over the data."""
    found: list[Task] = []
    for language in LANGUAGES:
        tasks = load_tasks(data_folder(args.data), [language]).values()
        solved = [task for task in tasks if task.canonical_solution]
        found += solved[:: max(1, len(solved) // args.limit)][: args.limit]
    return found


def score(engine: NativeEngine, tasks: Sequence[Task], profiles: Sequence[Profile]) -> list[Held]:
    """Every solution forced through the model behind its problem, dense and with each profile."""
    held = [Held() for _ in profiles]
    sparse = [
        StepOptions(exact=True, thresholds=engine.decoder.thresholds(profile))
        for profile in profiles
    ]
    for task in tasks if profiles else ():
        prompt = engine.tokenizer.with_bos(engine.tokenizer.encode(task.prompt))
        solution = engine.tokenizer.encode(task.canonical_solution or "")
        if not solution:
            continue
        rest = [prompt[-1], *solution[:-1]]
        before = Cached()
        try:
            if len(prompt) > 1:
                engine.decoder.forward([(before, prompt[:-1])], logits="none")
            dense = np.stack([*_logits(engine, before, rest, StepOptions(exact=True))])
            for one, options in zip(held, sparse, strict=True):
                thinned = _logits(engine, before, rest, options)
                for expected, got, wanted in zip(dense, thinned, solution, strict=True):
                    one.nats -= float(got[wanted])
                    one.divergence += float(
                        (np.exp(expected) * (expected - got)).sum(dtype=np.float64)
                    )
                    one.tokens += 1
        finally:
            engine.release(before)
    return held


def _logits(
    engine: NativeEngine, before: Cached, ids: Sequence[int], options: StepOptions
) -> Iterator[NDArray[np.float32]]:
    """Log-probabilities after each of `ids` behind `before`, float32 [vocabulary] each.

    Tokens behind the first of `ids`, the last one of a prompt, are computed sparsely.
    """
    sequence = engine.decoder.cache.fork(before)
    sequence.sparse_from = len(before.tokens) + 1
    try:
        for start in range(0, len(ids), EXACT_ROWS):
            piece = list(ids[start : start + EXACT_ROWS])
            logits = engine.decoder.forward([(sequence, piece)], logits="all", options=options)
            for row in logits:
                shifted = row - row.max()
                yield shifted - np.log(np.exp(shifted).sum())
    finally:
        engine.release(sequence)


def _row(arm: str, draw: int, held: Held) -> dict[str, Any]:
    return {
        "arm": arm,
        "draw": draw,
        "tokens": held.tokens,
        "perplexity": float(np.exp(held.nats / held.tokens)),
        "mean_kl": held.divergence / held.tokens,
    }


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Means over draws, and the difference in KL to random text with an interval of 95%.

    The interval is Student's, with the degrees of freedom of the arm that has fewer draws.
    """
    by_arm: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_arm.setdefault(row["arm"], []).append(row)
    base = np.array([row["mean_kl"] for row in by_arm.get(BASELINE, [])])
    found = []
    for arm, mine in by_arm.items():
        kl = np.array([row["mean_kl"] for row in mine])
        entry = {"arm": arm, "draws": len(mine), "mean_kl": float(kl.mean()),
                 "perplexity": float(np.mean([row["perplexity"] for row in mine]))}  # fmt: skip
        if len(base) > 1 and len(kl) > 1 and arm != BASELINE:
            difference = float(kl.mean() - base.mean())
            error = np.sqrt(kl.var(ddof=1) / len(kl) + base.var(ddof=1) / len(base))
            half = student_t(min(len(kl), len(base)) - 1) * float(error)
            entry |= {"difference": difference,
                      "interval": [difference - half, difference + half]}  # fmt: skip
        found.append(entry)
    return found


def lines(arms: Sequence[dict[str, Any]]) -> list[str]:
    """The table that is printed."""
    said = ["arm              draws  perplexity   mean KL  less random"]
    for row in arms:
        compared = ""
        if "interval" in row:
            low, high = row["interval"]
            verdict = "shows nothing" if low <= 0 <= high else ""
            compared = f"{row['difference']:+.5f} [{low:+.5f}, {high:+.5f}] {verdict}"
        said.append(
            f"{row['arm']:<16} {row['draws']:>5} {row['perplexity']:>11.4f} "
            f"{row['mean_kl']:>9.5f}  {compared}".rstrip()
        )
    return said
