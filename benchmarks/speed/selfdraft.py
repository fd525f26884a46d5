"""Speed of self-speculation over plain dense greedy decoding, with the same output.

The cases continue code without repetitions, and prompt lookup is off on both sides. Every case is
decoded both ways in one process, one after the other and in alternating order. The costs of
verifying passes and of sparse steps are measured first and determine the length of drafts; they
belong into model/engines/native/policy.json if self-speculation is faster.
"""

import argparse
import os
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from midline import kernels
from midline.benchmarks.speed import flags
from midline.benchmarks.speed.background_load import BackgroundLoad, warnings
from midline.benchmarks.speed.drafting import COST_RUNS, measured, pass_costs, summary
from midline.benchmarks.speed.drafting_cases import unrelated_cases
from midline.benchmarks.speed.report import report
from midline.model.decoding.speculative.prompt_lookup import PassCosts
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import MidlineError, UsageError
from midline.model.runtime.decoder import StepOptions
from midline.model.teal.profile import find_profile
from midline.model.threads import thread_count


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the length of answers, the longest prompt and the share of weights drafts skip."""
    flags.add(parser, tokens=64, context=2048, sparsity=0.5)


def run(args: argparse.Namespace) -> int:
    """Answer every case with and without; UsageError where nothing is to be skipped."""
    flags.check(args)
    flags.check_something_to_skip(args)
    path, threads = flags.model_path(args), thread_count(args.threads)
    found = measure(path, threads, args.tokens, args.context, level=args.sparsity)
    return report("selfdraft", args, found, lines)


def measure(path: Path, threads: int, tokens: int, context: int, *, level: float) -> dict[str, Any]:
    """The ratio of all cases together; drafts skip `level` of the weights.

    Answers have `tokens` tokens, prompts at most `context`. Raises UsageError if no prompt is that
    short, MidlineError where an output is not that of plain decoding.
    """
    find_profile(path, level)
    engine = NativeEngine.load(path, threads=threads)
    longest = min(context, engine.context_length - tokens - 2)
    cases = [
        replace(case, max_tokens=tokens)
        for case in unrelated_cases(engine.tokenizer)
        if len(case.ids) <= longest
    ]
    if not cases:
        raise UsageError(f"no prompt has at most {longest} tokens; give a larger --context")
    before = BackgroundLoad.now([os.getpid()])
    costs = measured_costs(engine, level)
    engine.policy = replace(engine.policy, draft_sparsity=level, costs=costs)
    rows = list(measured(engine, cases, tokens, "self"))
    after = BackgroundLoad.now([os.getpid()])
    for row in rows:
        if not row.identical:
            raise MidlineError(f"{row.name} is written differently with self-drafting; report this")
    found = summary(rows)
    return {
        **found,
        "context": context,
        "threads": threads,
        "sparsity": level,
        "versions": {"midline kernels": kernels.kernel_name()},
        "file_bytes": path.stat().st_size,
        "busy_elsewhere_cores": after.since(before) if before and after else None,
        "pair_ratios": [row.plain_seconds / row.seconds for row in rows],
        "acceptance": found["accepted_tokens"] / max(1, found["drafted_tokens"]),
        "tokens_per_pass": (found["tokens"] - len(rows)) / max(1, found["passes"]),
        "costs": asdict(costs),
        "results": [asdict(row) for row in rows],
    }


def measured_costs(engine: NativeEngine, level: float) -> PassCosts:
    """Least times of passes, a straight line through those of several rows, and of sparse steps."""
    passes = pass_costs(engine)
    rows = [cost["rows"] for cost in passes[1:]]
    slope, base = np.polyfit(rows, [cost["times_one_row"] for cost in passes[1:]], 1)
    sparse = sparse_step(engine, level) * 1e3 / passes[0]["milliseconds"]
    return PassCosts(round(float(base), 3), round(float(slope), 4), round(sparse, 3))


def sparse_step(engine: NativeEngine, level: float) -> float:
    """Least seconds of a step that skips `level` of the weights, after the same text."""
    profile = engine.profile(level)
    assert profile is not None
    options = StepOptions(thresholds=engine.decoder.thresholds(profile))
    ids = [*unrelated_cases(engine.tokenizer)[0].ids][:256]
    sequence = engine.new_sequence()
    engine.decoder.forward([(sequence, ids)], logits="none")
    sequence.sparse_from = len(ids)
    least = float("inf")
    for _ in range(COST_RUNS):
        started = time.perf_counter()
        engine.decoder.forward([(sequence, ids[:1])], options=options)
        least = min(least, time.perf_counter() - started)
        engine.decoder.cache.truncate(sequence, len(ids))
    engine.release(sequence)
    return least


def lines(result: dict[str, Any]) -> list[str]:
    """The result as printed."""
    costs = result["costs"]
    return [
        f"{result['ratio'] or 0:.2f}x in {result['cases']} cases of {result['tokens']} tokens, the "
        f"least {result['least_ratio'] or 0:.2f}x, all outputs identical",
        f"{result['accepted_tokens']} of {result['drafted_tokens']} drafted tokens right "
        f"({result['acceptance']:.1%}), {result['tokens_per_pass']:.2f} tokens a dense pass",
        f"in dense steps of one row: a pass of n rows {costs['base']:g} + {costs['row']:g} n, "
        f"a step that skips {result['sparsity']:.0%} {costs['draft']:g}",
        *warnings(result["busy_elsewhere_cores"]),
    ]
