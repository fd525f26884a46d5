"""`midline-bench quality ranking`: which of several samples to show first, judged by execution.

Reads a folder of `midline-bench mbxp run --samples 8 --temperature 0.6`: samples.jsonl and the
verdicts beside it. The ranker sees the problem's code without comments and documentation, and thus
no examples and no tests. The weights are cross-fitted: fitted on the problems with even numbers and
evaluated on the odd ones, and the other way round. A number stands for the same problem in every
language and for every model, so that further samples can be used for fitting.
"""

import argparse
import json
import shlex
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.record import read_table
from midline.benchmarks.mbxp.results import RESULTS, latest_results
from midline.benchmarks.mbxp.samples import read_generated
from midline.benchmarks.mbxp.statistics import paired_difference
from midline.benchmarks.mbxp.status import Status
from midline.benchmarks.mbxp.tasks import Task, data_folder, load_tasks
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.ranking.pairwise import fit
from midline.benchmarks.quality.ranking.uncommented import uncommented
from midline.model.completion.fim import Cursor
from midline.model.completion.languages import SUFFIXES
from midline.model.completion.ranking import (
    WEIGHTS,
    Features,
    Suggestion,
    Surroundings,
    feature_matrix,
)
from midline.model.completion.syntax import SyntaxAround
from midline.model.errors import UsageError

NAMES = tuple(field.name for field in fields(Features))
SAMPLES = "samples.jsonl"
FOLDS = 2
Passed = NDArray[np.float64]
"""Of each problem, whether what was chosen passed, or the share of it that did."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The folder of samples, the greedy run, more to fit with, --json."""
    add = parser.add_argument
    add("folder", type=Path, metavar="DIR", help="of `mbxp run --samples 8 --temperature 0.6`")
    add("--greedy", type=Path, metavar="PATH", help="folder of the greedy run, or its table .tsv")
    add(
        "--fit-with",
        type=Path,
        nargs="+",
        default=[],
        metavar="DIR",
        help="further samples to fit the weights with",
    )
    add("--data", metavar="DIR", help="folder of the MBXP problems")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


@dataclass(frozen=True)
class Question:
    """One problem, its samples in order, and which of them passed: bool [samples]."""

    task: Task
    candidates: tuple[Suggestion, ...]
    passed: NDArray[np.bool_]

    @cached_property
    def features(self) -> NDArray[np.float64]:
        """Float64 [samples, features]."""
        code = uncommented(self.task.prompt, self.task.language).encode()
        suffix = SUFFIXES[self.task.language].split()[0]
        cursor = Cursor(code, b"", code.count(b"\n"), f"solution{suffix}")
        return feature_matrix(self.candidates, Surroundings(cursor, SyntaxAround.of(cursor)))

    @property
    def fold(self) -> int:
        """The half of the problems it belongs to, 0 or 1."""
        return self.task.number % FOLDS


def run(args: argparse.Namespace) -> int:
    """Rank, print the scores and differences, write what was asked for."""
    tasks = load_tasks(data_folder(args.data))
    questions = read_questions(args.folder, tasks)
    extra = [found for folder in args.fit_with for found in read_questions(folder, tasks)]
    started = time.perf_counter()
    candidates = sum(len(question.features) for question in questions)
    seconds = time.perf_counter() - started
    result = {
        "benchmark": "ranking",
        **_origin(args.folder),
        "command": shlex.join(["midline-bench", *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": describe_versions("tree-sitter"),
        "tasks": len(questions),
        "samples": len(questions[0].candidates),
        "milliseconds_per_candidate": round(seconds * 1e3 / candidates, 4),
        **examine(questions, extra, args.greedy, tasks),
    }
    print("\n".join(table(result)))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def read_questions(folder: Path, tasks: dict[str, Task]) -> list[Question]:
    """The problems of `folder` that have all their samples executed, in order of their numbers."""
    verdicts = latest_results(folder / RESULTS)
    rows: dict[str, list[tuple[Suggestion, bool]]] = defaultdict(list)
    for row in read_generated(folder / SAMPLES):
        verdict = verdicts.get((row["task_id"], row["sample"]))
        if verdict is not None and Status(verdict.status).judged and row["task_id"] in tasks:
            rows[row["task_id"]].append((_suggestion(row), verdict.status == Status.PASS))
    most = max(map(len, rows.values()), default=0)
    if most == 0:
        raise UsageError(
            f"{folder} has no executed samples; `midline-bench mbxp run --samples 8 --temperature "
            f"0.6 --out {folder}` makes them"
        )
    found = [_question(tasks[id], each) for id, each in rows.items() if len(each) == most]
    return sorted(found, key=lambda question: (question.task.language, question.task.number))


def _question(task: Task, samples: Sequence[tuple[Suggestion, bool]]) -> Question:
    candidates, passed = zip(*samples, strict=True)
    return Question(task, candidates, np.array(passed, bool))


def _suggestion(row: dict[str, Any]) -> Suggestion:
    score = row["mean_logprob"]
    return Suggestion(row["completion"], score, score, row["tokens"], row["finish_reason"])


def _origin(folder: Path) -> dict[str, Any]:
    """What the run's report says of the samples."""
    path = folder / "report.json"
    if not path.is_file():
        return {}
    report = json.loads(path.read_text("utf-8"))
    return {name: report.get(name) for name in ("model", "temperature", "top_p", "seed")}


def examine(
    questions: Sequence[Question],
    extra: Sequence[Question],
    greedy: Path | None,
    tasks: dict[str, Task],
) -> dict[str, Any]:
    """Scores of every way to choose, differences between them, what each feature is worth."""
    ways = {
        "random": np.array([question.passed.mean() for question in questions]),
        "mean_logprob": likeliest(questions),
        "agreement": chosen(questions, np.array([float(name == "agreement") for name in NAMES])),
        "ranker": cross_fitted(questions, extra, NAMES),
        "shipped": chosen(questions, np.array(astuple(WEIGHTS))),
        "oracle": np.array([float(question.passed.any()) for question in questions]),
    }
    if greedy is not None:
        first = greedy_answers(greedy, questions, tasks)
        ways["greedy"] = np.array([float(passed) for _, passed in first])
        if all(suggestion is not None for suggestion, _ in first):
            ways |= _with_greedy(questions, first, extra)
    return {
        "pass_at_1": {name: round(float(way.mean()), 4) for name, way in ways.items()},
        "differences": differences(ways),
        "ablation": ablation(questions, extra, ways["ranker"]),
        "weights": [
            _named(_fitted([*questions, *extra], fold, NAMES)) for fold in (*range(FOLDS), None)
        ],
    }


def _with_greedy(
    questions: Sequence[Question],
    first: Sequence[tuple[Suggestion | None, bool]],
    extra: Sequence[Question],
) -> dict[str, Passed]:
    """The ranker where the greedy answer stands in the place of the first sample."""
    mixed = []
    for question, (suggestion, passed) in zip(questions, first, strict=True):
        assert suggestion is not None
        candidates = (suggestion, *question.candidates[1:])
        mixed.append(Question(question.task, candidates, np.array([passed, *question.passed[1:]])))
    return {
        "ranker_with_greedy": cross_fitted(mixed, extra, NAMES),
        "shipped_with_greedy": chosen(mixed, np.array(astuple(WEIGHTS))),
    }


def greedy_answers(
    path: Path, questions: Sequence[Question], tasks: dict[str, Task]
) -> list[tuple[Suggestion | None, bool]]:
    """What `read_greedy` has of each question; UsageError names the first that it lacks."""
    found = read_greedy(path, tasks)
    for question in questions:
        if question.task.task_id not in found:
            raise UsageError(
                f"{path} has no verdict on {question.task.task_id}, of which there are samples; "
                "run the rest of its problems with `midline-bench mbxp run`"
            )
    return [found[question.task.task_id] for question in questions]


def read_greedy(path: Path, tasks: dict[str, Task]) -> dict[str, tuple[Suggestion | None, bool]]:
    """Of each task the greedy answer, if its text is there, and whether it passed.

    `path` is a folder of `mbxp run`, or a table of verdicts as it is recorded.
    """
    if path.is_dir():
        found = read_questions(path, tasks)
        return {q.task.task_id: (q.candidates[0], bool(q.passed[0])) for q in found}
    rows = read_table(path)
    if not rows:
        raise UsageError(f"{path} is neither a folder of `mbxp run` nor a table of verdicts")
    return {row["task_id"]: (None, row["corrected"] == Status.PASS) for row in rows}


def likeliest(questions: Sequence[Question]) -> Passed:
    """Whether the candidate with the highest mean log-probability passed; empty ones come last."""
    best = (int(np.argmax([_likelihood(c) for c in q.candidates])) for q in questions)
    return np.array([float(q.passed[at]) for q, at in zip(questions, best, strict=True)])


def _likelihood(candidate: Suggestion) -> float:
    """Its mean log-probability: over no tokens that is 0, which would beat every text."""
    return candidate.mean_logprob if candidate.text else -np.inf


def chosen(questions: Sequence[Question], weights: NDArray[np.float64]) -> Passed:
    """Whether the candidate with the highest score passed; of equals the first counts."""
    best = (int((question.features @ weights).argmax()) for question in questions)
    return np.array([float(q.passed[at]) for q, at in zip(questions, best, strict=True)])


def cross_fitted(
    questions: Sequence[Question], extra: Sequence[Question], names: Sequence[str]
) -> Passed:
    """`chosen` by weights of the features `names` that were fitted on the other half."""
    passed = np.zeros(len(questions))
    for fold in range(FOLDS):
        weights = _fitted([*questions, *extra], fold, names)
        own = [number for number, question in enumerate(questions) if question.fold == fold]
        passed[own] = chosen([questions[number] for number in own], weights)
    return passed


def _fitted(
    questions: Sequence[Question], without: int | None, names: Sequence[str]
) -> NDArray[np.float64]:
    """Weights from all questions but those of the fold `without`; 0 for features not in `names`."""
    used = np.array([name in names for name in NAMES], float)
    others = [question for question in questions if question.fold != without]
    if not others:
        raise UsageError("there is nothing to fit on in one half of the problems; sample more")
    return fit([q.features * used for q in others], [q.passed for q in others])


def _named(weights: NDArray[np.float64]) -> dict[str, float]:
    return dict(zip(NAMES, weights.round(4).tolist(), strict=True))


def differences(ways: dict[str, Passed]) -> dict[str, Any]:
    """Every ranker against greedy and against mean log-probability, in pairs of the same task."""
    found = {}
    for name in (name for name in ways if name.startswith(("ranker", "shipped"))):
        for other in ("greedy", "mean_logprob"):
            if other in ways:
                pairs = [(int(a), int(b)) for a, b in zip(ways[name], ways[other], strict=True)]
                difference = paired_difference(pairs)
                low, high = difference["interval"]
                bounds = {"lower_bound": low, "upper_bound": high}
                found[f"{name}_over_{other}"] = difference | bounds
    return found


def ablation(
    questions: Sequence[Question], extra: Sequence[Question], full: Passed
) -> list[dict[str, Any]]:
    """The ranker without each feature that varies: its score, and what it lacks, in pairs."""
    spread = np.vstack([question.features for question in questions]).std(axis=0)
    rows = []
    for name in (name for name, width in zip(NAMES, spread, strict=True) if width > 0):
        without = cross_fitted(questions, extra, [other for other in NAMES if other != name])
        pairs = [(int(a), int(b)) for a, b in zip(full, without, strict=True)]
        row = {"feature": name, "pass_at_1": round(float(without.mean()), 4)}
        rows.append(row | {"worth": paired_difference(pairs)})
    return rows


def table(result: dict[str, Any]) -> list[str]:
    """The figures as printed."""
    lines = [f"{result['tasks']} problems, {result['samples']} samples each; pass@1:"]
    lines += [f"  {name:<22}{score:>8.2%}" for name, score in result["pass_at_1"].items()]
    lines.append("differences, with 95% intervals of pairs:")
    for name, found in result["differences"].items():
        low, high = found["lower_bound"], found["upper_bound"]
        verdict = "above" if low > 0 else "below" if high < 0 else "no difference shown"
        lines.append(
            f"  {name:<38}{found['difference']:>+8.2%} [{low:+.2%}, {high:+.2%}] {verdict}"
        )
    lines.append("without one feature, its worth, and its weight from all problems:")
    for row in result["ablation"]:
        low, high = row["worth"]["interval"]
        weight = result["weights"][-1][row["feature"]]
        lines.append(
            f"  {row['feature']:<22}{row['pass_at_1']:>8.2%}{row['worth']['difference']:>+8.2%} "
            f"[{low:+.2%}, {high:+.2%}]{weight:>9.3f}"
        )
    lines.append(f"{result['milliseconds_per_candidate']:.2f} ms a candidate")
    return lines
