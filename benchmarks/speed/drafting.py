"""Speed of prompt lookup decoding over plain greedy decoding, with the same output.

Every case is decoded both ways in one process, one after the other and in alternating order. The
prompt is prefilled before, so that only decoding is timed, including the work of drafting.
"""

import argparse
import os
import statistics
import time
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from midline.benchmarks.speed import flags
from midline.benchmarks.speed.background_load import BackgroundLoad, warnings
from midline.benchmarks.speed.drafting_cases import Case, edit_cases, unrelated_cases
from midline.benchmarks.speed.report import report
from midline.model.decoding.options import Draft
from midline.model.engines.base import Generation, NativeOptions, Request, SamplingOptions
from midline.model.engines.native.engine import NativeEngine
from midline.model.runtime.decoder import StepOptions
from midline.model.threads import thread_count

COST_ROWS = (1, 2, 4, 8, 16, 24)
COST_RUNS = 9


@dataclass(frozen=True)
class Row:
    """One case both ways: seconds of decoding, tokens, passes, whether the ids are the same."""

    name: str
    kind: str
    tokens: int
    seconds: float
    plain_seconds: float
    drafted_tokens: int
    accepted_tokens: int
    passes: int
    identical: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the length of answers and the longest prompt."""
    flags.add(parser, tokens=192, context=2048)


def run(args: argparse.Namespace) -> int:
    """Answer every case with and without drafts and print the ratios."""
    flags.check(args)
    path, threads = flags.model_path(args), thread_count(args.threads)
    return report("drafting", args, measure(path, threads, args.tokens, args.context), lines)


def measure(path: Path, threads: int, tokens: int, context: int) -> dict[str, Any]:
    """Ratios of both sets; answers have at most `tokens` tokens, longer prompts are left out."""
    engine = NativeEngine.load(path, threads=threads)
    sets = {"edit": edit_cases(engine.tokenizer), "unrelated": unrelated_cases(engine.tokenizer)}
    longest = min(context, engine.context_length - tokens - 2)
    chosen = {name: [c for c in cases if len(c.ids) <= longest] for name, cases in sets.items()}
    before = BackgroundLoad.now([os.getpid()])
    rows = {name: list(measured(engine, cases, tokens)) for name, cases in chosen.items()}
    costs = pass_costs(engine)
    after = BackgroundLoad.now([os.getpid()])
    return {
        "tokens": tokens,
        "context": context,
        "threads": threads,
        "versions": {},
        "file_bytes": path.stat().st_size,
        "busy_elsewhere_cores": after.since(before) if before and after else None,
        "sets": [{"set": name, **summary(found)} for name, found in rows.items()],
        "kinds": [
            {"kind": kind, **summary([row for row in rows["edit"] if row.kind == kind])}
            for kind in sorted({row.kind for row in rows["edit"]})
        ],
        "identical": statistics.fmean(row.identical for found in rows.values() for row in found),
        "pass_cost": costs,
        "cases": [asdict(row) for found in rows.values() for row in found],
    }


def measured(
    engine: NativeEngine, cases: Iterable[Case], tokens: int, draft: Draft = "lookup"
) -> Iterable[Row]:
    """A row for each case of more than one token; the first token follows from the prefill."""
    for number, case in enumerate(cases):
        options = SamplingOptions(
            max_tokens=min(case.max_tokens, tokens), engine=NativeOptions(draft=draft)
        )
        engine.prefill([*case.ids, case.ids[-1]])
        ways = (options, replace(options, engine=NativeOptions(draft="none")))
        found: dict[str | None, Generation] = {
            way.of_engine(NativeOptions).draft: engine.generate(Request(case.ids, case.align), way)
            for way in (ways if number % 2 else reversed(ways))
        }
        drafted, plain = found[draft], found["none"]
        written = len(plain.completions[0].ids)
        if written > 1:
            yield Row(
                case.name,
                case.kind,
                written,
                drafted.timings.decode_ms / 1e3,
                plain.timings.decode_ms / 1e3,
                drafted.drafted_tokens,
                drafted.accepted_tokens,
                drafted.passes,
                drafted.completions[0].ids == plain.completions[0].ids,
            )


def summary(rows: list[Row]) -> dict[str, Any]:
    """Ratio of tokens per second with drafts to without, over all cases of a set."""
    seconds = sum(row.seconds for row in rows)
    plain = sum(row.plain_seconds for row in rows)
    return {
        "cases": len(rows),
        "tokens": sum(row.tokens for row in rows),
        "seconds": seconds,
        "plain_seconds": plain,
        "ratio": plain / seconds if seconds else None,
        "least_ratio": min((row.plain_seconds / row.seconds for row in rows), default=None),
        "drafted_tokens": sum(row.drafted_tokens for row in rows),
        "accepted_tokens": sum(row.accepted_tokens for row in rows),
        "passes": sum(row.passes for row in rows),
        "identical": sum(row.identical for row in rows),
    }


def pass_costs(engine: NativeEngine) -> list[dict[str, float]]:
    """Least milliseconds of a pass by rows: what `PASS_COST` and `ROW_COST` are fitted to."""
    ids = [*unrelated_cases(engine.tokenizer)[0].ids][:256]
    sequence, decoder = engine.new_sequence(), engine.decoder
    decoder.forward([(sequence, ids)], logits="none")
    least = dict.fromkeys(COST_ROWS, float("inf"))
    for _ in range(COST_RUNS):
        for rows in COST_ROWS:
            started = time.perf_counter()
            fed = [(sequence, (ids * rows)[:rows])]
            decoder.forward(fed, logits="all", options=StepOptions(exact=False))
            least[rows] = min(least[rows], time.perf_counter() - started)
            decoder.cache.truncate(sequence, len(ids))
    engine.release(sequence)
    return [
        {"rows": rows, "milliseconds": seconds * 1e3, "times_one_row": seconds / least[1]}
        for rows, seconds in least.items()
    ]


def lines(result: dict[str, Any]) -> list[str]:
    """The result as printed."""
    found = [
        f"{one['set']:<10} {one['ratio'] or 0:.2f}x in {one['cases']} cases of "
        f"{one['tokens']} tokens, the least {one['least_ratio'] or 0:.2f}x; "
        f"{one['accepted_tokens']} of {one['drafted_tokens']} drafted tokens right, "
        f"{one['identical']} outputs identical"
        for one in result["sets"]
    ]
    found += [f"  {one['kind']:<8} {one['ratio'] or 0:.2f}x" for one in result["kinds"]]
    costs = ", ".join(f"{c['rows']}: {c['times_one_row']:.2f}" for c in result["pass_cost"])
    return [
        *found,
        f"a pass by rows, in steps of one row: {costs}",
        *warnings(result["busy_elsewhere_cores"]),
    ]
