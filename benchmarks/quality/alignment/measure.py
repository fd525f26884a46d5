"""`midline-bench quality alignment`: completions whose cursor is inside a token.

Lines of MBXP's own solutions are cut at a cursor in six ways (`cases.py`) and completed in four
modes: without token healing, with up to one and up to three tokens healed token by token, and with
the covering tree over three tokens. An answer is exact if it is the rest of the line and a line
end; white space at the end of the line is ignored.

Two references have prompts that end between two tokens of the whole line and need no healing. In
`clean` the cursor is moved back to the token border before it, so that the model has to generate
the bytes between border and cursor too. Such a prompt tells less than a healed one, except that a
token of the true line ends there (one space short of the full indentation, for instance, that tells
that no deeper one follows). In `ahead` the cursor is moved to the end of its token, so that the
prompt contains bytes that a healed prompt has to generate. The figures compare with `clean`.
Log-probabilities are of the rest of the line given the bytes before the cursor. Those of `clean`
and `ahead` are of more and of fewer bytes, and cannot be compared with the others.
"""

import argparse
import json
import shlex
import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.statistics import paired_difference, wilson
from midline.benchmarks.mbxp.tasks import data_folder, load_tasks
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.alignment.cases import (
    LANGUAGES,
    SETS,
    Layout,
    Line,
    choose_lines,
    cuts,
)
from midline.benchmarks.quality.alignment.scores import Cost, LineReader, LineScores, Request
from midline.model.completion.stopping import is_marker, written_bytes
from midline.model.engines import base
from midline.model.engines.base import Completion
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.tokenizer.tokenizer import Tokenizer

MODES = {"none": 0, "1": 1, "3": 3, "tree": 3}
"""Most tokens that each mode removes from the end of the prompt."""
REFERENCES = ("clean", "ahead")
STREAMS = 32
LINES_TOGETHER = 8
_MORE_TOKENS = 4
"""Tokens an answer may have beyond one per byte of the truth, to end its line."""


@dataclass(frozen=True)
class Row:
    """One case in one mode; `partial` where the cursor is inside a token."""

    task_id: str
    set: str
    mode: str
    partial: bool
    exact: int
    logprob: float
    cost: Cost | None


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Model, problems, sets, modes, the form of the prompt and --json."""
    add = parser.add_argument
    add("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    add("--data", metavar="DIR", help="folder of the MBXP problems")
    add("--lang", nargs="+", default=list(LANGUAGES), choices=LANGUAGES, metavar="L",
        help="their languages (default: all with solutions)")  # fmt: skip
    add("--limit", type=int, default=500, metavar="N", help="lines, each cut in every set (500)")
    add("--sets", nargs="+", choices=SETS, default=list(SETS), metavar="SET", help=", ".join(SETS))
    add("--modes", nargs="+", choices=list(MODES), default=list(MODES), metavar="MODE",
        help=", ".join(MODES))  # fmt: skip
    add("--prompt", choices=("fim", "raw"), default="fim",
        help="the editor's layout, or the plain text before the cursor (fim)")  # fmt: skip
    add("--seed", type=int, default=0, metavar="N", help="seed of the choice of lines and cuts (0)")
    add("--threads", type=int, metavar="N", help="default: the physical cores")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Complete every case in every mode, print the table, write what was asked for."""
    if args.limit < 1:
        raise UsageError("--limit needs at least 1")
    tasks = load_tasks(data_folder(args.data), args.lang).values()
    solved = [task for task in tasks if task.canonical_solution]
    engine = NativeEngine.load(args.model, threads=args.threads)
    engine.warm_up()
    lines = list(choose_lines(solved, args.limit, args.seed))
    if not lines:
        raise UsageError("no solution there has a line that can be cut in every way")
    rows = list(examine(engine, lines, args))
    result = {
        "benchmark": "alignment",
        "model": args.model,
        "command": shlex.join(["midline-bench", *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": describe_versions(),
        "prompt": args.prompt,
        "languages": args.lang,
        "lines": len(lines),
        "seed": args.seed,
        "rows": summary(rows),
        "differences": differences(rows),
        "overhead": overhead(rows),
    }
    print("\n".join(table(result)))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def examine(engine: NativeEngine, lines: Sequence[Line], args: argparse.Namespace) -> Iterator[Row]:
    """All cases of all lines, some lines at a time, so that what they share stays cached."""
    modes = [*args.modes, *REFERENCES]
    for start in range(0, len(lines), LINES_TOGETHER):
        print(f"\r{start} of {len(lines)} lines", end="", file=sys.stderr, flush=True)
        layouts = [
            Layout(engine.tokenizer, line, args.prompt)
            for line in lines[start : start + LINES_TOGETHER]
        ]
        cases = [
            (layout, name, at, {mode: request(layout, at, mode) for mode in modes})
            for layout in layouts
            if layout.is_sound
            for name, at in cuts(layout, args.seed).items()
            if name in args.sets
        ]
        scores = {layout.line: scored(engine, layout, cases) for layout in layouts}
        wanted = dict.fromkeys(r for *_, asked in cases for r in asked.values())
        exact = answers(engine, list(wanted))
        for layout, name, at, asked in cases:
            of_line = scores[layout.line]
            for mode, r in asked.items():
                yield Row(
                    layout.line.task_id, name, mode, at not in layout.borders, exact[r],
                    of_line.logprobs[r], of_line.costs.get(r),
                )  # fmt: skip
    print(file=sys.stderr)


Case = tuple[Layout, str, int, dict[str, Request]]


def request(layout: Layout, at: int, mode: str) -> Request:
    """What is asked in `mode` with the cursor at offset `at` of the line."""
    if mode == "clean":
        at = layout.border_before(at)
    elif mode == "ahead":
        at = layout.border_behind(at)
    prompt = layout.prompt(at, MODES.get(mode, 0))
    target = layout.line.text[at:].encode()
    return Request(tuple(prompt.ids), prompt.align, target, prompt.backed_up, mode == "tree")


def scored(engine: NativeEngine, layout: Layout, cases: Sequence[Case]) -> LineScores:
    """Prefills the line, which leaves its prompt in the cache, and scores the truths of its
    cases.
    """
    engine.prefill(layout.ids)
    wanted = dict.fromkeys(r for of, *_, asked in cases if of is layout for r in asked.values())
    reader = LineReader(engine, layout)
    try:
        return reader.score(list(wanted))
    finally:
        reader.close()


def answers(engine: NativeEngine, requests: Sequence[Request]) -> dict[Request, int]:
    """1 for each request whose rest of the line the engine writes exactly, else 0."""
    found: dict[Request, int] = {}
    for tree in (False, True):
        waiting = iter([r for r in requests if r.tree == tree])
        while batch := list(islice(waiting, STREAMS)):
            watches = [Watch(engine.tokenizer, r) for r in batch]
            most = max(len(r.align) + len(r.target) for r in batch) + _MORE_TOKENS
            generations = engine.batch(
                [
                    base.Request(r.ids, r.align, watch)
                    for r, watch in zip(batch, watches, strict=True)
                ],
                base.SamplingOptions(
                    max_tokens=most,
                    engine=base.NativeOptions(alignment="tree" if tree else "tokens"),
                ),
            )
            for r, watch, generation in zip(batch, watches, generations, strict=True):
                found[r] = int(watch.is_exact(generation.completions[0]))
    return found


class Watch:
    """Ends an answer with its line, or where it leaves the truth."""

    def __init__(self, tokenizer: Tokenizer, request: Request) -> None:
        self._tokenizer, self._target, self._given = tokenizer, request.target, len(request.align)

    def __call__(self, sample: int, ids: list[int]) -> bool:
        """Whether the answer is over."""
        if is_marker(self._tokenizer, ids[-1]):
            return True
        written = written_bytes(self._tokenizer, ids)[self._given :]
        return b"\n" in written or not (
            self._target.startswith(written) or written.rstrip() == self._target
        )

    def is_exact(self, completion: Completion) -> bool:
        """Whether it wrote the target and ended the line."""
        line = written_bytes(self._tokenizer, completion.ids)[self._given :].partition(b"\n")[0]
        return completion.finish_reason == "stop" and line.rstrip() == self._target


def summary(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """By set and mode: exact answers with their interval, mean log-probability of the truth."""
    found = []
    for name, mode in dict.fromkeys((row.set, row.mode) for row in rows):
        chosen = [row for row in rows if (row.set, row.mode) == (name, mode)]
        count = sum(row.exact for row in chosen)
        found.append(
            {
                "set": name,
                "mode": mode,
                "cases": len(chosen),
                "partial": round(statistics.fmean(row.partial for row in chosen), 4),
                "exact": round(count / len(chosen), 4),
                "exact_interval": [round(end, 4) for end in wilson(count, len(chosen))],
                "logprob": round(statistics.fmean(row.logprob for row in chosen), 4),
            }
        )
    return sorted(found, key=lambda row: SETS.index(row["set"]))


def differences(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Exact answers of each mode less those of both references, and of the tree less stepwise."""
    exact = {(row.set, row.mode, row.task_id): row.exact for row in rows}
    modes = [mode for mode in dict.fromkeys(row.mode for row in rows) if mode not in REFERENCES]
    pairs = [(mode, reference) for mode in modes for reference in REFERENCES]
    pairs += [("tree", "3")] if {"tree", "3"} <= set(modes) else []
    found = []
    for name in dict.fromkeys(row.set for row in rows):
        tasks = dict.fromkeys(row.task_id for row in rows if row.set == name)
        for first, second in pairs:
            both = [(exact[name, first, task], exact[name, second, task]) for task in tasks]
            found.append({"set": name, "first": first, "second": second, **paired_difference(both)})
    return sorted(found, key=lambda row: SETS.index(row["set"]))


def overhead(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Milliseconds of Python by mode, over requests from which bytes were removed; rows of the
    tree.
    """
    found = []
    for mode in dict.fromkeys(row.mode for row in rows):
        costs = [row.cost for row in rows if row.mode == mode and row.cost is not None]
        if costs:
            times = sorted(cost.milliseconds for cost in costs)
            found.append(
                {
                    "mode": mode,
                    "requests": len(times),
                    "milliseconds": round(statistics.median(times), 4),
                    "milliseconds_p95": round(times[len(times) * 95 // 100], 4),
                    "rows": round(statistics.fmean(cost.rows for cost in costs), 2),
                }
            )
    return found


def table(result: dict[str, Any]) -> list[str]:
    """The figures as printed."""
    lines = [f"{'set':<16}{'mode':<7}{'cases':>6}{'exact':>8}{'logprob':>9}   less clean"]
    against = {(d["set"], d["first"], d["second"]): d for d in result["differences"]}
    for row in result["rows"]:
        line = f"{row['set']:<16}{row['mode']:<7}{row['cases']:>6}{row['exact']:>8.1%}"
        line += f"{row['logprob']:>9.3f}"
        if found := against.get((row["set"], row["mode"], "clean")):
            low, high = found["interval"]
            line += f"   {found['difference']:+.1%} [{low:+.1%}, {high:+.1%}]"
            line += f", p = {found['p_value']}"
        lines.append(line)
    for cost in result["overhead"]:
        lines.append(
            f"{cost['mode']}: {cost['milliseconds']:.2f} ms of Python a request (95%: "
            f"{cost['milliseconds_p95']:.2f}), {cost['rows']:.1f} more rows"
        )
    return lines
