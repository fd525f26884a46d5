"""Complete the problems with a model and evaluate the completions.

The prompt is the raw text of the problem. Decoding is greedy unless --temperature is given. Writes
samples.jsonl and the files of `evaluate`; the same command resumes an interrupted run. run.json
records the sampling options, and other options are refused in the same folder.
"""

import argparse
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from midline.benchmarks.mbxp.actions.evaluate import add_execution_arguments, execution_options
from midline.benchmarks.mbxp.languages import NAMES
from midline.benchmarks.mbxp.plot import bar_chart
from midline.benchmarks.mbxp.record import record_run
from midline.benchmarks.mbxp.report import write_text
from midline.benchmarks.mbxp.run_folder import claim, model_identity
from midline.benchmarks.mbxp.samples import GeneratedFile
from midline.benchmarks.mbxp.session import evaluate_into
from midline.benchmarks.mbxp.tasks import DATA_FILES, Task, data_folder, load_tasks
from midline.model.errors import UsageError
from midline.model.sandbox import choose

if TYPE_CHECKING:
    from midline.model.engines.base import SamplingOptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the problems and the sampling options."""
    parser.add_argument(
        "--model", required=True, metavar="NAME", help="catalogue name or GGUF file"
    )
    parser.add_argument("--lang", nargs="+", choices=NAMES, required=True, metavar="L")
    parser.add_argument("--data", metavar="DIR", help="folder of the problems")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    parser.add_argument(
        "--samples", type=int, default=1, metavar="N", help="completions per problem (1)"
    )
    parser.add_argument("--temperature", type=float, default=None, metavar="T",
                        help="default 0 (greedy), 0.8 for several samples")  # fmt: skip
    parser.add_argument("--top-p", type=float, default=None, metavar="P", help="default 1, or 0.95")
    parser.add_argument("--seed", type=int, default=0, metavar="N")
    parser.add_argument("--max-tokens", type=int, default=320, metavar="N")
    parser.add_argument("--sparsity", type=float, default=0.0, metavar="S")
    parser.add_argument("--exact", action="store_true", help="compute the whole output matrix")
    parser.add_argument(
        "--shots",
        type=int,
        default=0,
        metavar="N",
        help="solved problems before each prompt (0)",
    )
    parser.add_argument(
        "--limit", type=int, metavar="N", help="the first N problems of each language"
    )
    parser.add_argument("--common", action="store_true",
                        help="only problems that exist in all thirteen languages")  # fmt: skip
    parser.add_argument("--threads", type=int, metavar="N")
    parser.add_argument("--no-evaluate", action="store_true", help="write samples.jsonl only")
    add_execution_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Generate missing samples, then evaluate; 1 if programs could not be isolated."""
    if args.limit is not None and args.limit < 1:
        raise UsageError("--limit must be at least 1")
    options = _generate_options(args)
    execution = execution_options(args)
    if not args.no_evaluate:
        choose(execution.sandbox, unsafe=execution.unsafe)
    folder = data_folder(args.data)
    pool = load_tasks(folder, None if args.common else args.lang)
    tasks = chosen_tasks(pool, args.lang, args.limit, args.common)
    claim(args.out, _shaping(args, options))
    file = GeneratedFile(args.out)
    _generate(args, options, tasks, pool, file)
    if args.no_evaluate:
        return 0
    known = {task.task_id: task for task in tasks}
    rows = [row for row in file.rows if row["task_id"] in known]
    about = {"model": Path(args.model).name, "prompt": "raw", "shots": args.shots,
             "seed": args.seed, "samples_per_task": options.samples,
             "temperature": options.temperature, "top_p": options.top_p,
             "max_tokens": options.max_tokens, "exact": args.exact,
             "sparsity": args.sparsity, "generation": generation_summary(rows)}  # fmt: skip
    summary = evaluate_into(args.out, file.samples(known), execution, about)
    print(summary.text)
    if args.record:
        merged = record_run(args.json, summary.report, summary.results)
        write_text(args.json.with_suffix(".svg"), bar_chart([(args.json.stem, merged)]))
    return 1 if summary.sandbox_errors else 0


def chosen_tasks(
    pool: Mapping[str, Task], languages: Sequence[str], limit: int | None, common: bool
) -> list[Task]:
    """Tasks of `languages` in order of their numbers, the first `limit` of each language."""
    numbers = None
    if common:
        by_language = [{t.number for t in pool.values() if t.language == n} for n in DATA_FILES]
        numbers = set.intersection(*by_language)
    tasks: list[Task] = []
    for name in languages:
        own = [t for t in pool.values() if t.language == name]
        own = sorted((t for t in own if numbers is None or t.number in numbers),
                     key=lambda task: task.number)  # fmt: skip
        tasks += own if limit is None else own[:limit]
    return tasks


def generation_summary(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Tokens and seconds of the generation, per language."""
    summary = {}
    for name in dict.fromkeys(row["language"] for row in rows):
        own = [row for row in rows if row["language"] == name]
        tokens, seconds = sum(r["tokens"] for r in own), sum(r["seconds"] for r in own)
        summary[name] = {
            "samples": len(own),
            "tokens": tokens,
            "seconds": round(seconds, 2),
            "seconds_per_sample": round(seconds / len(own), 3),
            "tokens_per_second": round(tokens / seconds, 2) if seconds else None,
        }
    return summary


def _generate_options(args: argparse.Namespace) -> "SamplingOptions":
    from midline.model.engines.base import NativeOptions, SamplingOptions

    several = args.samples > 1
    temperature = args.temperature if args.temperature is not None else 0.8 if several else 0.0
    top_p = args.top_p if args.top_p is not None else 0.95 if several else 1.0
    if several and temperature == 0:
        raise UsageError("several greedy samples are all the same; give --temperature above 0")
    options = SamplingOptions(
        samples=args.samples,
        max_tokens=args.max_tokens,
        seed=args.seed,
        temperature=temperature,
        top_p=top_p,
        engine=NativeOptions(exact=args.exact, sparsity=args.sparsity),
    )
    options.check()
    return options


def _shaping(args: argparse.Namespace, options: "SamplingOptions") -> dict[str, Any]:
    """The options that determine a sample's text, by the names of their flags."""
    return {
        "model": model_identity(args.model),
        "temperature": options.temperature,
        "top-p": options.top_p,
        "seed": options.seed,
        "max-tokens": options.max_tokens,
        "sparsity": args.sparsity,
        "exact": args.exact,
        "shots": args.shots,
    }


def _generate(
    args: argparse.Namespace,
    options: "SamplingOptions",
    tasks: Sequence[Task],
    pool: Mapping[str, Task],
    file: GeneratedFile,
) -> None:
    """Generate the samples missing in `file`; the model is loaded only if there are any."""
    from midline.benchmarks.mbxp.generate import STREAMS, TASK_TOKENS, Generator, pending

    waiting = pending(tasks, options.samples, file)
    if not waiting:
        return
    if args.ray:
        _generate_on_cluster(args, options, waiting, pool, file)
        return
    from midline.model.engines.load import load_engine

    engine = load_engine(
        args.model,
        options=replace(options, samples=1),
        threads=args.threads,
        cache_tokens=STREAMS * TASK_TOKENS,
    )
    before = len(file.rows)
    console = Console(stderr=True)
    columns = (TextColumn("generating"), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, disable=not console.is_terminal) as progress:
        bar = progress.add_task("", total=len(waiting))
        generator = Generator(engine, options, file, args.shots)
        generator.run(waiting, pool, lambda task: progress.advance(bar))
    print(f"generated {len(file.rows) - before} samples", file=sys.stderr)


def _generate_on_cluster(
    args: argparse.Namespace,
    options: "SamplingOptions",
    waiting: Sequence[Task],
    pool: Mapping[str, Task],
    file: GeneratedFile,
) -> None:
    """Let the workers of a cluster generate, and append their samples as they come."""
    from midline.benchmarks.mbxp.remote import PROBLEMS_A_TASK, ToGenerate, generate_there
    from midline.benchmarks.ray_cluster import chunks, map_on_cluster

    solved = pool if args.shots else {}
    pieces = [
        ToGenerate(args.model, options, part, solved, args.shots, args.threads)
        for part in chunks(waiting, PROBLEMS_A_TASK)
    ]
    for rows in map_on_cluster(args.ray, generate_there, pieces):
        file.append([row for row in rows if (row["task_id"], row["sample"]) not in file.done])
