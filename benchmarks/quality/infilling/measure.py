"""`midline-bench quality infilling`: HumanEval-Infilling, completed at a cursor and executed.

A task takes one line, several lines or a random span out of a HumanEval solution (Bavarian et al.,
arXiv 2207.14255). Lines are completed from an empty line that the editor has indented, spans from
where they begin. With --perfect there is no model: the text that was taken out goes token by token
through the rules that end and trim a completion, so that every task that fails is lost by a rule.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.sandbox import choose
from midline.benchmarks.mbxp.statistics import wilson
from midline.benchmarks.mbxp.status import Status
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.infilling.execution import statuses
from midline.benchmarks.quality.infilling.perfect import perfect_answers
from midline.benchmarks.quality.infilling.tasks import (
    KINDS,
    Infilling,
    chosen,
    data_folder,
    fingerprint,
    load,
)
from midline.model.catalog.catalog import resolve
from midline.model.errors import UsageError
from midline.model.paths import cache_folder
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

SHOWN_FAILURES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the tasks, what completes them and where results go."""
    parser.add_argument("--perfect", action="store_true", help="no model: what the rules lose")
    parser.add_argument("--kind", choices=list(KINDS), action="append", help="(default: all)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the published files")
    parser.add_argument(
        "--limit", type=int, metavar="N", help="tasks of each kind, drawn at random"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="draws other tasks (0)")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    parser.add_argument(
        "--automatic", action="store_true", help="as while typing; otherwise as asked by hand"
    )
    parser.add_argument(
        "--run-on",
        type=int,
        default=0,
        metavar="N",
        help="with --perfect: N characters of the suffix follow the text, as models often go on",
    )
    parser.add_argument("--show", action="store_true", help="print tasks that fail")
    parser.add_argument("--out", type=Path, metavar="DIR", help="verdicts (default: in the cache)")
    parser.add_argument("--unsafe", action="store_true", help="execute without a sandbox")
    parser.add_argument("--tasks", type=output_file, metavar="FILE", help="write every task here")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Complete and execute the tasks, and print how many pass."""
    if not args.perfect:
        raise UsageError("only --perfect is in this build")
    folder = data_folder(args.data)
    kinds = args.kind or list(KINDS)
    tasks = [t for kind in kinds for t in chosen(load(folder, kind), args.limit, args.seed)]
    tokenizer = Tokenizer.from_gguf(read_gguf(resolve(args.model)))
    answers = perfect_answers(tokenizer, tasks, by_hand=not args.automatic, run_on=args.run_on)
    rows = executed(tasks, answers, args)
    result = {
        "benchmark": "infilling",
        "mode": "perfect",
        "model": args.model,
        "by_hand": not args.automatic,
        "run_on": args.run_on,
        "seed": args.seed,
        "machine": describe_machine(),
        "versions": describe_versions("tree-sitter"),
        "data_sha256": {kind: fingerprint(folder, kind) for kind in kinds},
        "rows": summary(rows),
    }
    print_rows(result["rows"])
    if args.show:
        show(tasks, rows)
    if args.tasks:
        args.tasks.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return 0


def executed(
    tasks: Sequence[Infilling], answers: Sequence[str], args: argparse.Namespace
) -> list[dict[str, Any]]:
    """One row for each task: what was shown, whether it is the text itself, and its status."""
    sandbox = choose(unsafe=args.unsafe)
    out = args.out or cache_folder() / "infilling"
    found = statuses(tasks, answers, sandbox, out)
    return [
        {
            "task_id": task.task_id,
            "kind": task.kind,
            "shown": answer,
            "exact": answer.rstrip() == task.middle.rstrip(),
            "status": status,
        }
        for task, answer, status in zip(tasks, answers, found, strict=True)
    ]


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per kind: tasks, empty answers, those that are the text itself, those that pass."""
    found = []
    for kind in dict.fromkeys(row["kind"] for row in rows):
        own = [row for row in rows if row["kind"] == kind]
        passed = sum(row["status"] == Status.PASS for row in own)
        found.append(
            {
                "kind": kind,
                "tasks": len(own),
                "empty": sum(not row["shown"].strip() for row in own),
                "exact": sum(row["exact"] for row in own),
                "passed": passed,
                "pass_rate": round(passed / len(own), 4),
                "interval": [round(end, 4) for end in wilson(passed, len(own))],
            }
        )
    return found


def print_rows(rows: Sequence[dict[str, Any]]) -> None:
    """Print the summary, one line for each kind of task."""
    columns = ("tasks", "empty", "exact", "passed")
    heads = "".join(f"{name:>8}" for name in (*columns, "pass@1"))
    print(f"{'kind':<14}{heads}  95% interval")
    for row in rows:
        low, high = row["interval"]
        counts = "".join(f"{row[name]:>8}" for name in columns)
        print(f"{row['kind']:<14}{counts}{row['pass_rate']:>8.1%}  {low:.1%} to {high:.1%}")


def show(tasks: Sequence[Infilling], rows: Sequence[dict[str, Any]]) -> None:
    """Print the first tasks of each kind that fail: around the cursor, wanted and shown."""
    left = dict.fromkeys(KINDS, SHOWN_FAILURES)
    for task, row in zip(tasks, rows, strict=True):
        if row["status"] == Status.PASS or not left[task.kind]:
            continue
        left[task.kind] -= 1
        print(f"\n{task.task_id}: {row['status']}")
        print(f"  {task.before[-80:]!r} ^ {task.after[:80]!r}")
        print(f"  wanted {task.middle!r}\n  shown  {row['shown']!r}")
