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
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.languages import NAMES
from midline.benchmarks.mbxp.tasks import Task, data_folder, load_tasks
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.quantization import (
    cursor_part,
    execution,
    perplexity,
    robustness,
    summarization,
)
from midline.benchmarks.quality.quantization.claims import claims
from midline.benchmarks.quality.quantization.page import write_page
from midline.benchmarks.quality.quantization.speed import measure_speed
from midline.benchmarks.quality.quantization.store import Store, Subject
from midline.benchmarks.quality.quantization.subjects import (
    REFERENCE,
    engine_of,
    make_subjects,
)
from midline.benchmarks.quality.quantization.table import build_rows, table
from midline.model.compression.quantization.recipe import recipe_names
from midline.model.errors import UsageError
from midline.model.paths import cache_folder

QUALITY = ("perplexity", "cursor", "mbxp", "summaries", "robustness")
SPEED = ("size", "speed")
LANGUAGES = ("python", "java", "javascript")


@dataclass(frozen=True)
class Study:
    """The options of one run; every part's settings follow from them."""

    store: Store
    tasks: dict[str, list[Task]]
    seeds: int
    robust_problems: int
    summary_problems: int
    threads: int | None
    country: str

    def settings(self, part: str) -> dict[str, Any]:
        """What a result of this part depends on besides its subject."""
        if part == "mbxp":
            return {"problems": {name: len(tasks) for name, tasks in self.tasks.items()}}
        if part == "robustness":
            return {"seeds": self.seeds, "problems": self.robust_problems}
        if part == "summaries":
            return {"problems": self.summary_problems}
        if part == "speed":
            return {"machine": describe_machine()["processor"], "country": self.country,
                    "threads": self.threads}  # fmt: skip
        return {}


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
    add("--dense", action="store_true", help="leave out the combinations with TEAL")
    add("--data", metavar="DIR", help="folder of the MBXP problems")
    add("--out", type=Path, metavar="DIR", help="where results are kept (the cache)")
    add("--country", default="DEU", metavar="ISO", help="country of the electricity (DEU)")
    add("--threads", type=int, metavar="N")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")
    add("--page", type=output_file, metavar="FILE", help="write the page here, its plots beside it")


def run(args: argparse.Namespace) -> int:
    """Measure what is missing, print the table, write JSON and page."""
    if min(args.limit, args.seeds, args.robust_problems, args.summaries) < 1:
        raise UsageError("--limit, --seeds, --robust-problems and --summaries need at least 1")
    if "python" not in args.lang:
        raise UsageError("--lang needs python, which robustness and summaries are measured on")
    study = _study(args)
    reports = []
    for model in args.model:
        if args.only != "report":
            subjects = make_subjects(model, args.recipes or recipe_names(), not args.dense)
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
        "models": {found["model"]: found for found in reports},
    }
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    if args.page:
        write_page(args.page, result)
    return 0


def _study(args: argparse.Namespace) -> Study:
    tasks: dict[str, list[Task]] = {}
    if args.only not in ("speed", "report"):
        pool = load_tasks(data_folder(args.data), args.lang)
        tasks = {name: execution.problems(pool, name, args.limit) for name in args.lang}
    return Study(
        Store(args.out or cache_folder() / "quantization"), tasks, args.seeds,
        args.robust_problems, args.summaries, args.threads, args.country,
    )  # fmt: skip


def _parts(args: argparse.Namespace) -> list[str]:
    if args.parts:
        return list(args.parts)
    halves = {"quality": ["size", *QUALITY], "speed": list(SPEED)}
    return halves.get(args.only or "", ["size", *QUALITY, "speed"])


def _measure(study: Study, subjects: Sequence[Subject], parts: Sequence[str]) -> None:
    """Part by part, so that every subject has the cheap ones before any has the dear ones."""
    for part in parts:
        for subject in subjects:
            settings = study.settings(part)
            if study.store.get(subject, part, settings) is not None:
                continue
            print(f"{subject.model}: {part} of {subject.name}", file=sys.stderr, flush=True)
            result = _MEASURES[part](study, subject)
            study.store.put(subject, part, settings, result)


def _size(study: Study, subject: Subject) -> dict[str, Any]:
    files = [subject.path] if subject.path.is_file() else list(subject.path.iterdir())
    return {"bytes": sum(path.stat().st_size for path in files), "engine": subject.engine}


def _perplexity(study: Study, subject: Subject) -> Any:
    engine = engine_of(subject, study.threads)
    try:
        return perplexity.nats_of_texts(engine, subject.sparsity)
    finally:
        engine.close()


def _cursor(study: Study, subject: Subject) -> Any:
    engine = engine_of(subject, study.threads)
    try:
        return cursor_part.exact_answers(engine, subject.sparsity)
    finally:
        engine.close()


def _mbxp(study: Study, subject: Subject) -> Any:
    engine = engine_of(subject, study.threads, execution.CACHE_TOKENS)
    folder = study.store.of(subject) / "mbxp"
    try:
        return {
            name: execution.summary(execution.passed(engine, subject, tasks, folder))
            for name, tasks in study.tasks.items()
        }
    finally:
        engine.close()


def _summaries(study: Study, subject: Subject) -> Any:
    engine = engine_of(subject, study.threads, execution.CACHE_TOKENS)
    tasks = study.tasks["python"][: study.summary_problems]
    try:
        return summarization.summaries(engine, subject, tasks)
    finally:
        engine.close()


def _robustness(study: Study, subject: Subject) -> Any:
    engine = engine_of(subject, study.threads, execution.CACHE_TOKENS)
    tasks = study.tasks["python"][: study.robust_problems]
    folder = study.store.of(subject) / "robustness"
    try:
        return robustness.robustness(engine, subject, tasks, study.seeds, folder)
    finally:
        engine.close()


def _speed(study: Study, subject: Subject) -> Any:
    return measure_speed(subject, study.threads, study.country)


_MEASURES: dict[str, Callable[[Study, Subject], Any]] = {
    "size": _size,
    "perplexity": _perplexity,
    "cursor": _cursor,
    "mbxp": _mbxp,
    "summaries": _summaries,
    "robustness": _robustness,
    "speed": _speed,
}


def report(store: Store, model: str) -> dict[str, Any]:
    """Rows of the table and the paper's claims, from the results there are of a model."""
    rows = build_rows(store, model)
    return {"model": model, "rows": rows, "claims": claims(rows)}
