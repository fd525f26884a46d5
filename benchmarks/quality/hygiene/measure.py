"""Count what of calibration text and marked cursors is in MBXP, by shared 13-grams and MinHash.

Calibration text is by default what the recipe in CONTRIBUTING.md takes: Midline's own sources
without the projects of the marked cursors and the data of tests. The control plants problems of
MBXP in the same text and counts how many are found. The exit status is 1 if calibration text is
contaminated.

examples:
  midline-bench quality hygiene
  midline-bench quality hygiene --text ~/calibration --json hygiene.json
"""

import argparse
import json
import random
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.tasks import Task, data_folder, load_tasks
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.cursor.cases import PROJECTS
from midline.model.data_quality.overlap import Benchmark
from midline.model.data_quality.records import Record, Skipped
from midline.model.data_quality.shards import plan

ROOT = Path(__file__).resolve().parents[3]
ROOMS = ("kernels", "model", "server", "benchmarks", "tests", "editor-clients")
SUFFIXES = (".py", ".cpp", ".h", ".inc", ".js", ".lua")
LEFT_OUT = ("benchmarks/quality/cursor/projects", "tests/data")
PLANTED = 200
_EXAMPLES = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the texts, the benchmark and the output."""
    add = parser.add_argument
    add("--text", type=Path, nargs="+", metavar="PATH", help="calibration text (Midline's sources)")
    add("--data", metavar="DIR", help="folder of the MBXP problems")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Print the counts; 1 if calibration text is contaminated."""
    tasks = load_tasks(data_folder(args.data)).values()
    benchmark = Benchmark((task.task_id, whole_text(task)) for task in tasks)
    calibration = list(read(args.text) if args.text else own_sources())
    rows = [
        contamination("calibration text", benchmark, calibration),
        contamination("marked cursors", benchmark, read([PROJECTS])),
    ]
    result = {
        "benchmark": "hygiene",
        "machine": describe_machine(),
        "versions": describe_versions(),
        "items": len(benchmark),
        "rows": rows,
        "contaminated": rows[0]["contaminated"],
        "control": planted(benchmark, list(tasks), [record.text for record in calibration]),
    }
    print("\n".join(lines(result)))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return int(bool(result["contaminated"]))


def whole_text(task: Task) -> str:
    """What of a problem must not be in other text: the prompt and the solution."""
    return task.prompt + (task.canonical_solution or "")


def read(paths: Sequence[Path]) -> Iterable[Record]:
    """The documents of files and folders."""
    for shard in plan(paths):
        yield from shard.records(Skipped())


def own_sources() -> Iterable[Record]:
    """The documents of the recipe for calibration."""
    for room in ROOMS:
        if not (ROOT / room).is_dir():
            continue
        for record in read([ROOT / room]):
            name = f"{room}/{record.name}"
            if name.endswith(SUFFIXES) and not name.startswith(LEFT_OUT):
                yield Record(name, record.text, name)


def contamination(what: str, benchmark: Benchmark, records: Iterable[Record]) -> dict[str, Any]:
    """How many documents share an n-gram with an item, and how many are nearly one."""
    count, found, near = 0, [], 0
    for record in records:
        count += 1
        hits = benchmark.hits(record.text)
        if hits:
            found.append(f"{record.id}: {hits[0].item} ({hits[0].share:.0%} of it)")
            near += any(hit.is_near for hit in hits)
    return {"text": what, "documents": count, "contaminated": len(found), "near": near,
            "examples": found[:_EXAMPLES]}  # fmt: skip


def planted(benchmark: Benchmark, tasks: Sequence[Task], texts: Sequence[str]) -> dict[str, int]:
    """How many problems are found that are put into the middle of clean texts.

    Only problems with as many words as an n-gram can be found inside of another text.
    """
    dice = random.Random("planted")
    clean = [text for text in texts if not benchmark.hits(text)]
    long = [task for task in tasks if len(whole_text(task).split()) >= 40]
    drawn = dice.sample(long, min(PLANTED, len(long)))
    found = 0
    for task in drawn:
        around = dice.choice(clean or [""])
        middle = len(around) // 2
        text = f"{around[:middle]}\n{whole_text(task)}\n{around[middle:]}"
        found += any(hit.item == task.task_id for hit in benchmark.hits(text))
    return {"planted": len(drawn), "found": found}


def lines(result: dict[str, Any]) -> list[str]:
    """What is printed."""
    said = []
    for row in result["rows"]:
        said.append(
            f"{row['text']}: {row['contaminated']} of {row['documents']} documents share 13 words "
            f"in a row with one of {result['items']} problems, {row['near']} are nearly one"
        )
        said += [f"  {example}" for example in row["examples"]]
    control = result["control"]
    return [*said, f"control: {control['found']} of {control['planted']} planted problems found"]
