"""Execute completions of Midline or another tool: JSONL with `task_id` and `completion`.

Writes results.jsonl (one line per executed sample; the same command resumes an interrupted run),
rejected.jsonl (invalid lines) and report.json.
"""

import argparse
import json
import sys
from collections.abc import Mapping
from pathlib import Path

from midline.benchmarks.mbxp.canonical import canonical_samples
from midline.benchmarks.mbxp.corrections import CORRECTIONS, NONE
from midline.benchmarks.mbxp.fetch import REPOSITORY
from midline.benchmarks.mbxp.languages import NAMES
from midline.benchmarks.mbxp.record import exceptions_of, record_canonical, record_samples
from midline.benchmarks.mbxp.report import write_text
from midline.benchmarks.mbxp.samples import Rejected, Sample, read_samples
from midline.benchmarks.mbxp.session import EvaluationOptions, Summary, evaluate_into
from midline.benchmarks.mbxp.tasks import DATA_VARIABLE, Task, data_folder, load_tasks
from midline.benchmarks.outputs import output_file
from midline.model.errors import UsageError

PUBLISHED_FILES = "mb*_samples.jsonl"
EXAMPLES = "examples"
"""Folder of the published sample completions, in the repository of the problems."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Samples, problems and how to run them."""
    parser.add_argument("samples", type=Path, nargs="?", metavar="SAMPLES.jsonl")
    parser.add_argument(
        "--canonical", action="store_true", help="evaluate the canonical solutions of the data"
    )
    parser.add_argument(
        "--published", type=Path, nargs="?", const=True, metavar="DIR",
        help="evaluate the published sample completions, mb*_samples.jsonl "
        f"(default: {EXAMPLES} in the folder of the problems)",
    )  # fmt: skip
    parser.add_argument(
        "--lang", nargs="+", choices=NAMES, metavar="L", help="only these languages"
    )
    parser.add_argument("--data", metavar="DIR", help="folder of the problems")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--limit", type=int, metavar="N", help="the first N samples of each language"
    )
    add_execution_arguments(parser)


def add_execution_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of everything that executes programs."""
    parser.add_argument(
        "--workers", type=int, default=2, metavar="N", help="programs executed in parallel (2)"
    )
    parser.add_argument(
        "--no-corrections", action="store_true",
        help="judge by the reference evaluator's rules, with the benchmark's known defects",
    )  # fmt: skip
    parser.add_argument(
        "--no-correction", action="append", default=[], choices=sorted(CORRECTIONS), metavar="NAME",
        help=f"turn one correction off ({', '.join(sorted(CORRECTIONS))}); may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--fresh", action="store_true", help="execute samples again that have a verdict in --out"
    )
    parser.add_argument(
        "--json", type=output_file, metavar="FILE", help="also write the report to FILE"
    )
    parser.add_argument(
        "--record", action="store_true",
        help="merge into the report of --json and write tables of verdicts beside it",
    )  # fmt: skip
    parser.add_argument("--sandbox", metavar="LEVEL", help="use this sandbox and no other")
    parser.add_argument(
        "--unsafe", action="store_true", help="run without isolation, under resource limits only"
    )
    parser.add_argument(
        "--ray", metavar="ADDRESS", help="do the work on this Ray cluster, or on a `local` one"
    )


def execution_options(args: argparse.Namespace) -> EvaluationOptions:
    """The options of `add_execution_arguments`."""
    if args.workers < 1:
        raise UsageError("--workers must be at least 1")
    if args.record and args.json is None:
        raise UsageError("--record needs --json FILE, the report to add to")
    enabled = NONE if args.no_corrections else CORRECTIONS - set(args.no_correction)
    report = None if args.record else args.json
    return EvaluationOptions(
        args.workers, enabled, args.sandbox, args.unsafe, report, args.fresh, args.ray
    )


def run(args: argparse.Namespace) -> int:
    """Evaluate and report; 1 if lines had to be rejected or programs could not be isolated."""
    if args.canonical + (args.published is not None) + (args.samples is not None) != 1:
        raise UsageError("name a file of samples, or --canonical, or --published DIR")
    if args.record and args.samples is not None:
        raise UsageError("--record keeps what every run can repeat: --canonical or --published")
    if args.limit is not None and args.limit < 1:
        raise UsageError("--limit must be at least 1")
    samples, rejected = _samples(args)
    if args.limit is not None:
        samples = _first(samples, args.limit)
    if not samples:
        raise UsageError("there is nothing to evaluate: no usable sample in these languages")
    summary = evaluate_into(args.out, samples, execution_options(args))
    print(summary.text)
    if args.record:
        _record(args, summary)
    if rejected:
        lines = "".join(json.dumps({"line": r.line, "reason": r.reason}) + "\n" for r in rejected)
        write_text(args.out / "rejected.jsonl", lines)
        print(
            f"midline-bench: {len(rejected)} lines of {args.samples} are no samples, the first is "
            f"line {rejected[0].line} ({rejected[0].reason}); see {args.out / 'rejected.jsonl'}",
            file=sys.stderr,
        )
    return 1 if rejected or summary.sandbox_errors else 0


def _samples(args: argparse.Namespace) -> tuple[list[Sample], list[Rejected]]:
    tasks = load_tasks(data_folder(args.data), args.lang if args.canonical else None)
    if args.canonical:
        return canonical_samples(tasks), []
    if args.samples is not None:
        return read_samples(args.samples, tasks, args.lang)
    return _published(args, tasks), []


def _published(args: argparse.Namespace, tasks: Mapping[str, Task]) -> list[Sample]:
    folder = data_folder(args.data) / EXAMPLES if args.published is True else args.published
    paths = sorted(folder.glob(PUBLISHED_FILES))
    if not paths:
        raise UsageError(
            f"{folder} has no {PUBLISHED_FILES}; they lie in data/mbxp/{EXAMPLES} of a clone of "
            f"{REPOSITORY}, and {DATA_VARIABLE} or --published DIR say where that is"
        )
    samples: list[Sample] = []
    for path in paths:
        own, rejected = read_samples(path, tasks, args.lang)
        if rejected:
            raise UsageError(f"{path}:{rejected[0].line} is no sample: {rejected[0].reason}")
        samples += own
    return samples


def _record(args: argparse.Namespace, summary: Summary) -> None:
    if args.published is not None:
        record_samples(args.json, summary.report, summary.results)
        return
    unexplained = record_canonical(args.json, summary.report, summary.results)
    if unexplained:
        print(f"without a reason in {exceptions_of(args.json)}: {', '.join(unexplained)}")


def _first(samples: list[Sample], limit: int) -> list[Sample]:
    counts: dict[str, int] = {}
    kept: list[Sample] = []
    for sample in samples:
        name = sample.task.language
        counts[name] = counts.get(name, 0) + 1
        if counts[name] <= limit:
            kept.append(sample)
    return kept
