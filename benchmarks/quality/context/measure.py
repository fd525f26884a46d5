"""Rest-of-line matches with chunks of other files, filtered in different ways.

Cursors are in lines of installed packages' sources; the chunks of each package's other files are
filtered, then ranked as the server ranks them. Arms: no chunks; chunks of all files; without
generated files (as the server does it); of files that pass the filter `code`; of those without near
duplicates; and, as a control, chunks of another package. Three arms are about an editor with a
folder open: chunks of three files only; these and signatures of the files that the file imports;
those signatures alone. All differences are paired, to the server's arm, and of the signatures to
the same without them. An arm whose interval includes 0 shows nothing; signatures become a part of
the server's context if theirs lies above 0.

examples:
  midline-bench quality context --cases 20
  midline-bench quality context --cases 200 --trace build/context.jsonl --json context.json
"""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.statistics import paired_difference, wilson
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.context.cases import Arms, Case, cases, packages
from midline.model.completion.complete import complete
from midline.model.completion.context_chunks import ContextChunk, choose_chunks
from midline.model.completion.fim import Cursor, WindowLimits, chunk_ids
from midline.model.decoding.options import SamplingOptions
from midline.model.engines.base import Engine
from midline.model.engines.load import load_engine
from midline.model.errors import UsageError

BASELINE = "generated left out"
CONTROL = "other package"
AGAINST = {"three open, signatures": "three open", "signatures": "none"}
"""What an arm is compared with, in place of the server's."""
UNSEEN = 0.05
"""The probability that a share of differing answers was not seen: `most_differing` is that share,
where the answers of two arms are right in the same cases and an interval of pairs has no width."""
LIMITS = WindowLimits(prefix_tokens=384, suffix_tokens=96, context_tokens=512)
MAX_TOKENS = 32
_NEAR_BEFORE, _NEAR_AFTER = 2000, 600


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the number of cases and the outputs."""
    add = parser.add_argument
    add("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    add("--arms", nargs="+", choices=tuple(Arms().arms), metavar="ARM", help="some of them (all)")
    add("--cases", type=int, default=100, metavar="N", help="cursors (100)")
    add("--seconds", type=float, metavar="S", help="stop after this time; --trace continues")
    add(
        "--trace",
        type=output_file,
        metavar="FILE",
        help="keep answers here, to continue from",
    )
    add("--threads", type=int, metavar="N", help="default: the physical cores")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Complete at every cursor with every arm, and print the arms."""
    if args.cases < 1:
        raise UsageError("--cases needs at least 1")
    found = packages()
    if len(found) < 2:
        raise UsageError("too few packages with sources are here: pip install 'midline[test]'")
    engine = load_engine(args.model, threads=args.threads)
    rows = answers(engine, list(cases(found, args.cases)), args)
    result: dict[str, Any] = {
        "benchmark": "context",
        "model": engine.name,
        "machine": describe_machine(),
        "versions": describe_versions(),
        "cases": len({row["place"] for row in rows}),
        "arms": summary(rows),
    }
    print("\n".join(lines(result["arms"])))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return 0


def answers(
    engine: Engine, wanted: Sequence[Case], args: argparse.Namespace
) -> list[dict[str, Any]]:
    """A row for each case and arm; cases that are in the trace are not completed again."""
    rows = _read(args.trace)
    done = {row["place"] for row in rows}
    arms, start = Arms().arms, time.monotonic()
    wanted_arms = args.arms or list(arms)
    for number, case in enumerate(wanted):
        if case.place in done:
            continue
        if args.seconds and time.monotonic() - start > args.seconds:
            break
        print(f"\r{number} of {len(wanted)}", end="", file=sys.stderr, flush=True)
        strange = _other_case(case, wanted)
        fresh = []
        asked: dict[tuple[ContextChunk, ...], dict[str, Any]] = {}
        for arm in wanted_arms:
            chunks = arms[BASELINE](strange) if arm == CONTROL and strange else arms[arm](case)
            chosen = ranked(engine, case, chunks)
            if chosen not in asked:  # equal prompts have equal answers: decoding is greedy
                asked[chosen] = answer(engine, case, chosen)
            fresh.append({"place": case.place, "arm": arm, **asked[chosen]})
        rows += fresh
        if args.trace:
            with args.trace.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(row) + "\n" for row in fresh)
    print(file=sys.stderr)
    return rows


def _read(trace: Path | None) -> list[dict[str, Any]]:
    if trace is None or not trace.is_file():
        return []
    return [json.loads(line) for line in trace.read_text("utf-8").splitlines()]


def _other_case(case: Case, wanted: Sequence[Case]) -> Case | None:
    """The next case of another package."""
    at = wanted.index(case)
    others = (c for c in (*wanted[at:], *wanted[:at]) if c.package is not case.package)
    return next(others, None)


def ranked(engine: Engine, case: Case, chunks: Sequence[ContextChunk]) -> tuple[ContextChunk, ...]:
    """Those of the chunks that the server would put into the prompt."""
    near = case.before[-_NEAR_BEFORE:] + case.after[:_NEAR_AFTER]
    size: Callable[[ContextChunk], int] = lambda c: len(chunk_ids(engine.tokenizer, c))  # noqa: E731
    return choose_chunks(chunks, near, LIMITS.context_tokens, size)


def answer(engine: Engine, case: Case, chosen: tuple[ContextChunk, ...]) -> dict[str, Any]:
    """Whether the first line of the completion is the rest of the line, and the prompt's tokens."""
    cursor = Cursor(
        case.before.encode("utf-8", "surrogateescape"),
        case.after.encode("utf-8", "surrogateescape"),
        case.before.count("\n"),
        case.file,
        context=chosen,
        project=case.package.name,
    )
    found = complete(engine, cursor, SamplingOptions(max_tokens=MAX_TOKENS), limits=LIMITS)
    first = found.suggestions[0].text.partition("\n")[0] if found.suggestions else ""
    exact = first.rstrip() == case.expected.rstrip()
    return {"exact": int(exact), "prompt_tokens": found.prompt_tokens, "chunks": len(chosen)}


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each arm: matches, tokens, and the paired difference to what it is compared with."""
    by_arm: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows:
        by_arm.setdefault(row["arm"], {})[row["place"]] = row
    found = []
    for arm, mine in by_arm.items():
        exact = sum(row["exact"] for row in mine.values())
        tokens = sum(row["prompt_tokens"] for row in mine.values()) / len(mine)
        entry = {"arm": arm, "cases": len(mine), "exact": exact / len(mine),
                 "interval": wilson(exact, len(mine)), "prompt_tokens": tokens}  # fmt: skip
        against = AGAINST.get(arm, BASELINE)
        base = by_arm.get(against, {})
        if arm != BASELINE and base:
            pairs = [(row["exact"], base[place]["exact"]) for place, row in mine.items()]
            entry |= {"against": against, "less_baseline": paired_difference(pairs)}
            if all(one == other for one, other in pairs):
                entry["most_differing"] = 1 - UNSEEN ** (1 / len(pairs))
        found.append(entry)
    return found


def lines(arms: Sequence[dict[str, Any]]) -> list[str]:
    """The table that is printed."""
    said = ["arm                      exact  tokens  less the arm it is compared with"]
    for row in arms:
        compared = ""
        if "less_baseline" in row:
            low, high = row["less_baseline"]["interval"]
            verdict = "shows nothing" if low <= 0 <= high else ""
            mean = row["less_baseline"]["difference"]
            compared = f"{mean:+.1%} [{low:+.1%}, {high:+.1%}] of {row['against']} {verdict}"
            if "most_differing" in row:
                compared += f": right in the same cases, at most {row['most_differing']:.1%} differ"
        numbers = f"{row['exact']:>5.1%} {row['prompt_tokens']:>7.0f}"
        said.append(f"{row['arm']:<24} {numbers}  {compared}".rstrip())
    return said
