"""`midline-bench quality intents`: what a sentence asks for, told by the student and its rivals.

Without more, the frozen utterances of our own domain (`frozen/README.md`): intent accuracy, slot
F1 and exact frames of those in scope, AUROC of those out of scope, milliseconds a sentence. A slot
is right if its name and its text are. `novel` are the utterances whose form, slots replaced by
their names, is not among the forms that the student was trained on: templates and test set were
written by the same people, and what a template says word for word is no test.

The rule that decides what ships, stated before the encoder was first measured: the encoder ships
only if its exact frames in scope are better than the student's by a paired difference whose 95%
interval lies above zero, with an AUROC of at least 0.95 and a p95 of at most 15 ms. Otherwise the
student ships, and the encoder stays an option.

--write-student trains the student that is shipped from the templates. --train-encoder trains
MiniLM on the same utterances, for as long as --seconds allows at a time, and exports it when it is
done.

--zero-shot with --trace keeps its predictions and goes on with them, for --seconds at a time; its
milliseconds are those of a call without --trace.

--public measures few-shot learning on SNIPS or CLINC150, read from --data, five seeds each: every
size from examples alone and with generated utterances, and label noise against what resists it.
--generate lets a model write them first, into the cache: from examples in its prompt, or
fine-tuned on them with --fine-tune, which is meant for a small model. Runs go to --trace, the next
call goes on.
What counts as an answer, stated before the runs: generation helps at a size, and a rival resists
noise, if the difference paired by seed has a 95% interval above zero. --page puts the --results of
several calls into one page.
"""

import argparse
import json
import os
import random
import shlex
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.statistics import paired_difference
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.intents.comparison import differences, lines, table
from midline.benchmarks.quality.intents.few_shot import NOISES, RIVALS, SEEDS, Chosen, measure
from midline.benchmarks.quality.intents.frozen_utterances import SHA256, frozen_utterances
from midline.benchmarks.quality.intents.generated_data import FINE_TUNED, generate, kept_utterances
from midline.benchmarks.quality.intents.kept_predictions import KeptPredictions, OutOfTime
from midline.benchmarks.quality.intents.page import write_page
from midline.benchmarks.quality.intents.public_data import PublicData, read_public
from midline.benchmarks.quality.intents.published_scores import published_scores
from midline.benchmarks.quality.intents.scores import Judged, form_of, judge, summary
from midline.model import intents
from midline.model.atomic_write import atomic_write
from midline.model.errors import UsageError
from midline.model.intents.prediction import IntentModel
from midline.model.intents.student import (
    STUDENT_FILE,
    load_student,
    student_bytes,
    template_utterances,
    train_student,
)

DATA_VARIABLE = "MIDLINE_INTENTS_DATA"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What to do, and where to write the figures."""
    add = parser.add_argument
    add("--encoder", action="store_true", help="measure the encoder that was trained here, too")
    add("--zero-shot", action="store_true", help="measure --model without training, too")
    add("--utterances", type=int, metavar="N", help="a draw of the frozen utterances (all)")
    add("--write-student", action="store_true", help="train the shipped student again")
    add("--train-encoder", action="store_true", help="train and export the encoder")
    add("--recipe", default="dropout", metavar="NAME", help="how the encoder is trained (dropout)")
    add("--public", choices=("snips", "clinc150"), help="few-shot learning on public data")
    add("--data", type=Path, metavar="DIR", help=f"folder of the public data ({DATA_VARIABLE})")
    add("--generate", action="store_true", help="write utterances with --model for --public")
    add("--model", default="qwen2.5-coder-1.5b", metavar="NAME", help="who writes or wrote them")
    add("--fine-tune", action="store_true", help="fine-tune --model on each draw before it writes")
    add("--threads", type=int, metavar="N", help="of the model (default: the physical cores)")
    add("--seeds", type=int, default=SEEDS, metavar="N", help=f"draws of --public ({SEEDS})")
    add("--sizes", type=int, nargs="+", metavar="N", help="examples an intent (all sizes)")
    add("--noises", type=float, nargs="+", metavar="S", help=f"of {NOISES} (all)")
    add("--rivals", nargs="+", choices=RIVALS, metavar="R", help=f"of {', '.join(RIVALS)} (all)")
    add("--learner", choices=("student", "encoder"), default="student", help="who learns (student)")
    add("--trace", type=output_file, metavar="FILE", help="runs that are done, to continue from")
    add("--seconds", type=float, metavar="S", help="longest time to train or measure in this call")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")
    add("--page", type=output_file, metavar="FILE", help="write the page of --results here")
    add("--results", type=Path, nargs="+", metavar="JSON", help="what --json wrote (for --page)")


def run(args: argparse.Namespace) -> int:
    """Train what is asked for, or measure."""
    if args.page:
        return _page(args)
    if args.write_student:
        return _write_student()
    if args.train_encoder:
        from midline.benchmarks.quality.intents.encoder_training import train_encoder

        return train_encoder(args.recipe, args.seconds)
    if args.public:
        return _write(args, _public(args))
    if args.utterances is not None and args.utterances < 1:
        raise UsageError("--utterances needs at least 1")
    models: dict[str, IntentModel] = {"student": load_student()}
    if args.encoder:
        from midline.model.intents.encoder.onnx_encoder import OnnxEncoder

        models["encoder"] = OnnxEncoder()
    if args.zero_shot:
        models["zero-shot"] = _zero_shot(args)
    try:
        results = own_domain(models, args.utterances)
    except OutOfTime:
        print("there is more to predict; the same command goes on", file=sys.stderr)
        return 0
    if args.zero_shot and args.trace:
        _without_times(results["models"]["zero-shot"])
    _print(results)
    return _write(args, {"test_set": SHA256, **results})


def _page(args: argparse.Namespace) -> int:
    if not args.results:
        raise UsageError("--page needs --results JSON .., files that --json wrote")
    try:
        records = [json.loads(path.read_text("utf-8")) for path in args.results]
    except (OSError, ValueError) as error:
        raise UsageError(f"a file of --results cannot be read: {error}") from error
    write_page(args.page, records)
    return 0


def _zero_shot(args: argparse.Namespace) -> IntentModel:
    from midline.benchmarks.quality.intents.zero_shot import ZeroShot

    if args.trace is None:
        return ZeroShot.load(args.model, args.threads)
    load = partial(ZeroShot.load, args.model, args.threads)
    return KeptPredictions(load, args.trace, args.seconds)


def _without_times(figures: dict[str, Any]) -> None:
    """Take out the times of predictions that were read from a trace."""
    for row in (figures, figures["novel"]):
        row["milliseconds"] = None


def _public(args: argparse.Namespace) -> dict[str, Any]:
    folder = args.data or os.environ.get(DATA_VARIABLE)
    if folder is None or not (args.trace or args.generate):
        raise UsageError(
            f"--public needs --data DIR or {DATA_VARIABLE}, and --trace FILE for the runs"
        )
    data = read_public(args.public, Path(folder))
    writer = f"{args.model}{FINE_TUNED}" if args.fine_tune else args.model
    seeds = range(args.seeds)
    if args.generate and not generate(data, writer, seeds, args.seconds, args.threads):
        print("there is more to write; the same command goes on", file=sys.stderr)
    filters = _filters(data, writer, args.seeds)
    if args.trace is None:
        return {"filters": filters}
    chosen = Chosen(args.sizes, args.noises, args.rivals)
    runs = measure(data, args.learner, args.trace, args.seconds, writer, args.seeds, chosen)
    rows, compared = table(runs), differences(runs)
    print("\n".join([*lines(rows), "", *lines(compared)]))
    return {
        "generator": writer,
        "filters": filters,
        "rows": rows,
        "differences": compared,
        "published": published_scores(data, Path(folder)),
    }


def _filters(data: PublicData, writer: str, seeds: int) -> dict[str, int]:
    """What the filters said of the lines of all seeds together."""
    counts: Counter[str] = Counter()
    for seed in range(seeds):
        counts.update(kept_utterances(data, writer, seed).counts)
    print(f"generated lines: {dict(counts) or 'none'}")
    return dict(counts)


def _write(args: argparse.Namespace, results: dict[str, Any]) -> int:
    if args.json:
        record = {
            "machine": describe_machine(),
            "versions": describe_versions("onnxruntime"),
            "command": shlex.join(["midline-bench", *sys.argv[1:]]),
            **results,
        }
        args.json.write_text(json.dumps(record, indent=2) + "\n", "utf-8")
    return 0


def _write_student() -> int:
    folder = Path(intents.__file__).parent / "data"
    student = train_student()
    atomic_write(folder / STUDENT_FILE, student_bytes(student))
    print(f"{folder / STUDENT_FILE} is written; measure it with `midline-bench quality intents`")
    return 0


def own_domain(models: dict[str, IntentModel], count: int | None = None) -> dict[str, Any]:
    """The figures of every model, and the paired difference of each to the student.

    Of all frozen utterances, or of `count` of them, the same every time.
    """
    utterances = list(frozen_utterances())
    if count is not None and count < len(utterances):
        utterances = random.Random(0).sample(utterances, count)
    seen = {form_of(utterance) for utterance in template_utterances()}
    judged = {name: judge(model, utterances) for name, model in models.items()}
    rows = {
        name: summary(all_of_them)
        | {"novel": summary([one for one in all_of_them if form_of(one.truth) not in seen])}
        for name, all_of_them in judged.items()
    }
    results: dict[str, Any] = {"models": rows}
    for name in judged.keys() - {"student"}:
        key = f"{name.replace('-', '_')}_minus_student"
        results[key] = difference(judged["student"], judged[name])
    return results


def difference(student: list[Judged], rival: list[Judged]) -> dict[str, Any]:
    """A rival's exact frames in scope less the student's, sentence by sentence."""
    pairs = [
        (int(one.is_exact), int(other.is_exact))
        for one, other in zip(rival, student, strict=True)
        if one.is_in_scope
    ]
    return paired_difference(pairs)


def _print(results: dict[str, Any]) -> None:
    for name, row in results["models"].items():
        for label, figures in ((name, row), (f"{name}, novel forms", row["novel"])):
            exact, intent = figures["exact_frame"], figures["intent_accuracy"]
            low, high = exact["interval"]
            line = (
                f"{label}: {figures['in_scope']} in scope, intent {intent['value']:.3f}, slot F1 "
                f"{figures['slot_f1']:.3f}, exact frame {exact['value']:.3f} [{low:.3f}, "
                f"{high:.3f}]"
            )
            if "out_of_scope_auroc" in figures:
                line += f", AUROC {figures['out_of_scope_auroc']['value']:.3f}"
            times = figures["milliseconds"]
            print(f"{line}, p95 {times['p95']:.2f} ms" if times else line)
    for name in results["models"].keys() - {"student"}:
        found = results[f"{name.replace('-', '_')}_minus_student"]
        print(f"{name} less student, exact frames: {found}")
