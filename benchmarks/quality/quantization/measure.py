"""`midline-bench quality quantization`: what forms of quantization cost and save.

Every recipe is measured against the reference, the source's weights dequantized to float32 with
activations in float32. Where the source is itself quantized (Q4_K_M), this shows what rounding it
once more costs, not what rounding the original weights would cost: recipes of more bits than the
source has cannot win anything back, and differences between recipes are the study's object.

Parts: size, mbxp (pass@1, executed), perplexity, cursor, summaries, robustness; and speed with
load time, resident memory and energy. A part that was measured is not measured again, so that the
same command goes on after a kill; --only speed measures again what was measured on another
machine. `--only report` prints what there is.
"""

import argparse
import json
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.languages import NAMES
from midline.benchmarks.mbxp.tasks import Task, data_folder, load_tasks
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.quantization import execution
from midline.benchmarks.quality.quantization.claims import claims
from midline.benchmarks.quality.quantization.page import write_page
from midline.benchmarks.quality.quantization.parts import measure_part
from midline.benchmarks.quality.quantization.speed import measure_speeds
from midline.benchmarks.quality.quantization.store import Store, Subject
from midline.benchmarks.quality.quantization.study import QUALITY, SPEED, Amounts, Study
from midline.benchmarks.quality.quantization.subjects import REFERENCE, make_subjects
from midline.benchmarks.quality.quantization.table import build_rows, table
from midline.model.compression.quantization.recipe import recipe_names
from midline.model.errors import UsageError
from midline.model.paths import cache_folder

LANGUAGES = ("python", "java", "javascript")
COUNTS = ("limit", "seeds", "robust_problems", "summaries", "cursors", "together")
OF_PYTHON = ("summaries", "robustness")
"""Parts that are measured on problems in Python."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Models, recipes, parts, how much of each, and where the results go."""
    add = parser.add_argument
    add("--model", nargs="+", default=["qwen2.5-coder-0.5b"], metavar="NAME",
        help="catalogue names or GGUF files")  # fmt: skip
    add("--recipes", nargs="+", default=None, metavar="R", help="recipes (default: all)")
    add("--only", choices=("quality", "speed", "report"), help="one half, or what there is")
    add("--parts", nargs="+", choices=[*SPEED, *QUALITY], metavar="P", help="some parts alone")
    add("--lang", nargs="+", choices=NAMES, default=list(LANGUAGES), metavar="L",
        help="languages of MBXP, python among them (python java javascript)")  # fmt: skip
    add("--limit", type=int, default=400, metavar="N", help="problems of each language (400)")
    add("--seeds", type=int, default=5, metavar="N", help="perturbations of each problem (5)")
    add("--robust-problems", type=int, default=100, metavar="N", help="problems perturbed (100)")
    add("--summaries", type=int, default=200, metavar="N", help="docstrings written (200)")
    add("--cursors", type=int, default=200, metavar="N", help="marked cursors completed (200)")
    add("--dense", action="store_true", help="leave out the combinations with TEAL")
    add("--no-reference", action="store_true",
        help="leave out the float32 reference, which takes 4 bytes a weight")  # fmt: skip
    add("--data", metavar="DIR", help="folder of the MBXP problems")
    add("--out", type=Path, metavar="DIR", help="where results are kept (the cache)")
    add("--country", default="DEU", metavar="ISO", help="country of the electricity (DEU)")
    add("--threads", type=int, metavar="N")
    add("--together", type=int, default=3, metavar="N",
        help="models loaded beside the reference while speed is measured (3)")  # fmt: skip
    add("--json", type=output_file, metavar="FILE", help="write the figures here")
    add("--page", type=output_file, metavar="FILE", help="write the page here, its plots beside it")


def run(args: argparse.Namespace) -> int:
    """Measure what is missing, print the table, write JSON and page."""
    _check(args)
    study = _study(args)
    reports = []
    for model in args.model:
        if args.only != "report":
            recipes = args.recipes or recipe_names()
            subjects = make_subjects(model, recipes, not args.dense, not args.no_reference)
            _measure(study, subjects, _parts(args))
        reports.append(report(study.store, Path(model).stem if "/" in model else model))
    for found in reports:
        print("\n".join(table(found["rows"])))
        print("\n".join(claim["sentence"] for claim in found["claims"]))
    result = {
        "benchmark": "quantization",
        "command": shlex.join(["midline-bench", *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": describe_versions("onnxruntime", "sacrebleu", "codecarbon"),
        "reference": REFERENCE,
        "models": reports,
    }
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    if args.page:
        write_page(args.page, result)
    return 0


def _check(args: argparse.Namespace) -> None:
    for name in COUNTS:
        if (value := getattr(args, name)) < 1:
            raise UsageError(f"--{name.replace('_', '-')} is {value}; it needs at least 1")
    if args.no_reference and "speed" in _parts(args):
        raise UsageError("speed is measured beside the reference; leave --no-reference out")
    if "python" not in args.lang and set(OF_PYTHON) & set(_parts(args)):
        raise UsageError("--lang needs python, which robustness and summaries are measured on")


def _study(args: argparse.Namespace) -> Study:
    tasks: dict[str, list[Task]] = {}
    if args.only != "report" and {"mbxp", *OF_PYTHON} & set(_parts(args)):
        pool = load_tasks(data_folder(args.data), args.lang)
        tasks = {name: execution.problems(pool, name, args.limit) for name in args.lang}
    amounts = Amounts(args.seeds, args.robust_problems, args.summaries, args.cursors)
    store = Store(args.out or cache_folder() / "quantization")
    return Study(store, tasks, amounts, args.threads, args.country, args.together)


def _parts(args: argparse.Namespace) -> list[str]:
    if args.parts:
        return list(args.parts)
    halves = {"quality": ["size", *QUALITY], "speed": list(SPEED), "report": []}
    return halves.get(args.only or "", ["size", *QUALITY, "speed"])


def _measure(study: Study, subjects: Sequence[Subject], parts: Sequence[str]) -> None:
    """Part by part, so that every subject has the cheap ones before any has the dear ones."""
    for key in [key for part in parts for key in study.keys(part)]:
        settings = study.settings(key)
        waiting = [s for s in subjects if study.store.get(s, key, settings) is None]
        if key == "speed":
            measure_speeds(study, subjects, waiting)
            continue
        for subject in waiting:
            print(f"{subject.model}: {key} of {subject.name}", file=sys.stderr, flush=True)
            study.store.put(subject, key, settings, measure_part(study, subject, key))


def report(store: Store, model: str) -> dict[str, Any]:
    """Rows of the table and the paper's claims, from the results there are of a model."""
    rows = build_rows(store, model)
    return {"model": model, "rows": rows, "claims": claims(rows)}
