"""`midline-bench quality infilling`: HumanEval-Infilling, completed at a cursor and executed.

A task takes one line, several lines or a random span out of a HumanEval solution (Bavarian et al.,
arXiv 2207.14255). Lines are completed from an empty line that the editor has indented, spans from
where they begin. With --perfect there is no model: the text that was taken out goes token by token
through the rules that end and trim a completion, so that every task that fails is lost by a rule.
With --syntax real files are completed instead, and their language's own parser judges them. With
--feed pieces of real files are cut out and fed through the rules as --perfect feeds the tasks.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.statistics import paired_difference, wilson
from midline.benchmarks.mbxp.status import Status
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.answers import Answers
from midline.benchmarks.quality.drawn import DrawnEngine
from midline.benchmarks.quality.infilling import feed, syntax
from midline.benchmarks.quality.infilling.execution import statuses
from midline.benchmarks.quality.infilling.models import llama_answers, midline_answers
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
from midline.model.engines.base import Engine
from midline.model.engines.load import load_engine
from midline.model.errors import UsageError
from midline.model.paths import cache_folder
from midline.model.sandbox import choose
from midline.model.threads import thread_count
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

SHOWN_FAILURES = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the tasks, what completes them and where results go."""
    parser.add_argument("--perfect", action="store_true", help="no model: what the rules lose")
    parser.add_argument(
        "--syntax",
        type=int,
        metavar="N",
        help="no tasks: complete at N places of files that their language's own parser accepts, "
        "and ask it again",
    )
    parser.add_argument(
        "--feed",
        type=Path,
        nargs="*",
        metavar="PATH",
        help="no tasks and no model: pieces of these files and folders, or of installed packages, "
        "go through the rules",
    )
    parser.add_argument(
        "--cuts",
        type=int,
        default=feed.CUTS,
        metavar="N",
        help="pieces of each language to --feed",
    )
    parser.add_argument("--kind", choices=list(KINDS), action="append", help="(default: all)")
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the published files")
    parser.add_argument(
        "--limit", type=int, metavar="N", help="tasks of each kind, drawn at random"
    )
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="draws other tasks (0)")
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    parser.add_argument("--peer", choices=("llama.cpp",), help="its plain answers beside Midline's")
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
    if args.feed is not None:
        return _feed(args)
    if args.syntax is not None:
        return _syntax(args)
    if args.perfect and args.peer:
        raise UsageError("--perfect measures the rules alone; leave out --peer, or --perfect")
    folder = data_folder(args.data)
    kinds = args.kind or list(KINDS)
    tasks = [t for kind in kinds for t in chosen(load(folder, kind), args.limit, args.seed)]
    rows = _perfect(args, tasks) if args.perfect else _midline(args, tasks)
    if args.peer:
        rows += _llama(args, tasks)
    result = {
        "by_hand": not args.automatic,
        "run_on": args.run_on,
        "machine": describe_machine(),
        "versions": describe_versions("tree-sitter", "llama-cpp-python"),
        "data_sha256": {kind: fingerprint(folder, kind) for kind in kinds},
        "rows": summary(rows),
        "comparisons": comparisons(rows),
    }
    print_rows(result["rows"])
    print_comparisons(result["comparisons"])
    if args.show:
        show(tasks, rows)
    if args.tasks:
        args.tasks.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    _write(args, "perfect" if args.perfect else "model", result)
    return 0


def _feed(args: argparse.Namespace) -> int:
    """Feed pieces of files through the rules and report what is lost by kind and language."""
    if args.perfect or args.peer or args.kind or args.syntax is not None:
        raise UsageError("--feed has pieces of its own; leave out --perfect, --peer and --syntax")
    cuts = feed.cuts_of(args.feed, args.cuts, args.seed)
    rows = list(feed.feed(_tokenizer(args), cuts))
    found = feed.summary(rows)
    feed.print_summary(found)
    if args.show:
        feed.show(cuts, rows)
    if args.tasks:
        pieces = ({**asdict(cut), **row} for cut, row in zip(cuts, rows, strict=True))
        args.tasks.write_text("".join(json.dumps(each) + "\n" for each in pieces), "utf-8")
    _write(args, "feed", {"versions": describe_versions("tree-sitter"), "rows": found})
    return 0


def _write(args: argparse.Namespace, mode: str, more: dict[str, Any]) -> None:
    """Write the figures of a mode to --json, if it is given."""
    if args.json:
        result = {"benchmark": "infilling", "mode": mode, "model": args.model, "seed": args.seed}
        args.json.write_text(json.dumps({**result, **more}, indent=1) + "\n", "utf-8")


def _tokenizer(args: argparse.Namespace) -> Tokenizer:
    return Tokenizer.from_gguf(read_gguf(resolve(args.model)))


def _syntax(args: argparse.Namespace) -> int:
    """Complete in accepted files and report those that are rejected afterwards."""
    if args.perfect or args.peer or args.kind or args.limit is not None:
        raise UsageError("--syntax has places of its own; leave out --perfect, --peer and --kind")
    engine = _drawn(args, "syntax-drawn")
    known = Answers(_folder(args) / f"syntax-{engine.name}.jsonl")
    rows = syntax.judge(engine, syntax.cases(args.syntax, args.seed), known)
    syntax.print_rows(rows)
    more = {
        "machine": describe_machine(),
        "versions": describe_versions("tree-sitter"),
        "rows": syntax.summary(rows),
        "rejected": [row for row in rows if not row["accepted"]],
    }
    _write(args, "syntax", more)
    return 0


def _perfect(args: argparse.Namespace, tasks: Sequence[Infilling]) -> list[dict[str, Any]]:
    answers = perfect_answers(
        _tokenizer(args), tasks, by_hand=not args.automatic, run_on=args.run_on
    )
    return executed("perfect", tasks, answers, args)


def _midline(args: argparse.Namespace, tasks: Sequence[Infilling]) -> list[dict[str, Any]]:
    engine = _drawn(args, "drawn")
    known = Answers(_folder(args) / f"midline-{engine.name}.jsonl")
    answers = midline_answers(engine, tasks, known, by_hand=not args.automatic)
    return executed("midline", tasks, answers, args)


def _llama(args: argparse.Namespace, tasks: Sequence[Infilling]) -> list[dict[str, Any]]:
    if find_spec("llama_cpp") is None:
        raise UsageError("--peer llama.cpp needs llama-cpp-python; `pip install 'midline[peers]'`")
    path = resolve(args.model)
    published = [task.published for task in tasks]
    known = Answers(_folder(args) / f"llama.cpp-{path.stem}.jsonl")
    answers = llama_answers(path, path.stem, published, known, thread_count(None))
    return executed("llama.cpp", published, answers, args)


def _drawn(args: argparse.Namespace, name: str) -> Engine:
    """The model, which draws nothing again after a change of the rules that end and trim it."""
    engine = load_engine(args.model)
    return DrawnEngine(engine, Answers(_folder(args) / f"{name}-{engine.name}.jsonl"))


def _folder(args: argparse.Namespace) -> Path:
    """Where answers and verdicts are kept between runs."""
    return args.out or cache_folder() / "infilling"


def executed(
    engine: str, tasks: Sequence[Infilling], answers: Sequence[str], args: argparse.Namespace
) -> list[dict[str, Any]]:
    """One row for each task: what was shown, whether it is the text itself, and its status."""
    found = statuses(tasks, answers, choose(unsafe=args.unsafe), _folder(args))
    return [
        {
            "engine": engine,
            "task_id": task.task_id,
            "kind": task.kind,
            "shown": answer,
            "exact": answer.rstrip() == task.middle.rstrip(),
            "status": status,
        }
        for task, answer, status in zip(tasks, answers, found, strict=True)
    ]


def comparisons(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Midline against the other engine in pairs of the same task, by kind; none without another."""
    passed = {
        engine: {r["task_id"]: r["status"] == Status.PASS for r in rows if r["engine"] == engine}
        for engine in dict.fromkeys(row["engine"] for row in rows)
    }
    if len(passed) < 2:
        return []
    first, second = passed
    kinds = {row["task_id"]: row["kind"] for row in rows}
    found = []
    for kind in dict.fromkeys(kinds.values()):
        chosen = [task for task in passed[first] if kinds[task] == kind]
        pairs = [(int(passed[first][task]), int(passed[second][task])) for task in chosen]
        difference = paired_difference(pairs)
        found.append({"first": first, "second": second, "kind": kind, "passed": difference})
    return found


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Per engine and kind: tasks, empty answers, exact ones (the text itself), those that pass."""
    found = []
    for engine, kind in dict.fromkeys((row["engine"], row["kind"]) for row in rows):
        own = [row for row in rows if (row["engine"], row["kind"]) == (engine, kind)]
        passed = sum(row["status"] == Status.PASS for row in own)
        found.append(
            {
                "engine": engine,
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
    print(f"{'engine':<11}{'kind':<14}{heads}  95% interval")
    for row in rows:
        low, high = row["interval"]
        counts = "".join(f"{row[name]:>8}" for name in columns)
        place = f"{row['engine']:<11}{row['kind']:<14}"
        print(f"{place}{counts}{row['pass_rate']:>8.1%}  {low:.1%} to {high:.1%}")


def print_comparisons(rows: Sequence[dict[str, Any]]) -> None:
    """Print the paired differences of engines."""
    for row in rows:
        found = row["passed"]
        low, high = found["interval"]
        print(
            f"{row['kind']}: {row['first']} less {row['second']} {found['difference']:+.1%} "
            f"[{low:+.1%}, {high:+.1%}] of {found['cases']} tasks, p = {found['p_value']}"
        )


def show(tasks: Sequence[Infilling], rows: Sequence[dict[str, Any]]) -> None:
    """Print the first tasks of each kind that fail: around the cursor, wanted and shown."""
    left = dict.fromkeys(KINDS, SHOWN_FAILURES)
    for task, row in zip(tasks, rows, strict=False):  # those of a peer come after them
        if row["status"] == Status.PASS or not left[task.kind]:
            continue
        left[task.kind] -= 1
        print(f"\n{task.task_id}: {row['status']}")
        print(f"  {task.before[-80:]!r} ^ {task.after[:80]!r}")
        print(f"  wanted {task.middle!r}\n  shown  {row['shown']!r}")
