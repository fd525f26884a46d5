"""Precision, recall and tokens saved of the output guard on samples that were executed.

The rule is chosen on half of the problems: the one with the greatest recall among those whose
precision for failed samples is at least 0.9. It is scored on the other half. The control is the
same rule with the verdicts shuffled among the samples: its precision is the share of failures.

examples:
  midline-bench mbxp run --model qwen2.5-coder-0.5b --lang python --sparsity 0.6 --out build/sparse
  midline-bench quality guard build/sparse --json guard.json
"""

import argparse
import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.mbxp.results import RESULTS
from midline.benchmarks.mbxp.samples import SAMPLES
from midline.benchmarks.mbxp.statistics import wilson
from midline.benchmarks.outputs import output_file
from midline.model.data_quality.output_guard import GuardRule, alarm_at
from midline.model.errors import UsageError

PRECISION = 0.9
RECALL = 0.05
"""Below these the guard is of no use: it would cut what passes, or hardly anything."""
PASSED = "pass"


@dataclass(frozen=True)
class Judged:
    """A completion and whether its program passed."""

    task: str
    text: str
    passed: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the result folders and the output."""
    add = parser.add_argument
    add("folders", type=Path, nargs="+", metavar="FOLDER", help="of `midline-bench mbxp run`")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Choose a rule on one half, score it on the other, and print both."""
    judged = [sample for folder in args.folders for sample in read(folder)]
    halves = [[s for s in judged if half_of(s.task) == half] for half in (0, 1)]
    if not all(halves):
        raise UsageError("the folders have too few executed samples; run more problems")
    rule = chosen(halves[0])
    result: dict[str, Any] = {
        "benchmark": "guard",
        "machine": describe_machine(),
        "versions": describe_versions(),
        "folders": [folder.name for folder in args.folders],
        "samples": len(judged),
        "failed": sum(not s.passed for s in judged),
        "rule": None if rule is None else rule.name,
        "rows": [],
    }
    if rule is not None:
        shuffled = with_shuffled_verdicts(halves[1])
        result["rows"] = [
            {"samples": "chosen on", **score(rule, halves[0])},
            {"samples": "held out", **score(rule, halves[1])},
            {"samples": "held out, verdicts shuffled", **score(rule, shuffled)},
        ]
        held_out = result["rows"][1]
        result |= {name: held_out[name] for name in ("precision", "recall", "saved")}
    print("\n".join(lines(result)))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n", "utf-8")
    return 0


def read(folder: Path) -> Iterator[Judged]:
    """The samples of a result folder that were executed; UsageError if there are none."""
    try:
        texts: dict[tuple[str, int], str] = {}
        counts: dict[str, int] = {}
        for line in (folder / SAMPLES).read_text("utf-8").splitlines():
            found = json.loads(line)
            number = counts.get(found["task_id"], 0)
            counts[found["task_id"]] = number + 1
            texts[found["task_id"], number] = found["completion"]
        for line in (folder / RESULTS).read_text("utf-8").splitlines():
            found = json.loads(line)
            key = found["task_id"], found["sample"]
            yield Judged(key[0], texts[key], found["status"] == PASSED)
    except (OSError, ValueError, KeyError) as error:
        raise UsageError(
            f"{folder} has no executed samples ({error}); name a folder of `midline-bench mbxp run`"
        ) from error


def half_of(task: str) -> int:
    """0 or 1 for a problem, the same in every run."""
    return hashlib.sha256(task.encode()).digest()[0] % 2


def rules() -> Iterator[GuardRule]:
    """The rules to choose from."""
    for window, n, share in product((48, 64, 96, 128), (5, 6, 8, 10), (0.3, 0.5, 0.7, 0.9)):
        yield GuardRule(window, n, repeated=share)
    for window, share in product((48, 64, 96, 128), (0.1, 0.15, 0.2, 0.25, 0.3, 0.35)):
        yield GuardRule(window, distinct=share)


def chosen(judged: Sequence[Judged]) -> GuardRule | None:
    """The rule of the greatest recall that is precise enough, the more precise one of equals."""
    found = [(score(rule, judged), rule) for rule in rules()]
    good = [(s["recall"], s["precision"], s["saved"], rule) for s, rule in found
            if s["precision"] is not None and s["precision"] >= PRECISION]  # fmt: skip
    return max(good, key=lambda entry: entry[:3])[3] if good else None


def score(rule: GuardRule, judged: Sequence[Judged]) -> dict[str, Any]:
    """Precision and recall for failed samples, and the share of all characters not generated."""
    alarms = [alarm_at(sample.text, rule) for sample in judged]
    raised = [(s, at) for s, at in zip(judged, alarms, strict=True) if at is not None]
    hits = sum(not s.passed for s, _ in raised)
    failed = sum(not s.passed for s in judged)
    characters = sum(len(s.text) for s in judged)
    return {
        "count": len(judged),
        "failed": failed,
        "raised": len(raised),
        "precision": hits / len(raised) if raised else None,
        "precision_interval": wilson(hits, len(raised)),
        "recall": hits / failed if failed else 0.0,
        "recall_interval": wilson(hits, failed),
        "saved": sum(len(s.text) - at for s, at in raised) / max(characters, 1),
    }


def with_shuffled_verdicts(judged: Sequence[Judged]) -> list[Judged]:
    """The same texts and verdicts, put together at random."""
    verdicts = [sample.passed for sample in judged]
    random.Random("shuffled").shuffle(verdicts)
    return [Judged(s.task, s.text, passed) for s, passed in zip(judged, verdicts, strict=True)]


def lines(result: dict[str, Any]) -> list[str]:
    """What is printed."""
    said = [f"{result['failed']} of {result['samples']} samples failed"]
    if result["rule"] is None:
        return [*said, f"no rule reaches a precision of {PRECISION}: there is nothing to guard"]
    said.append(f"rule: {result['rule']}")
    for row in result["rows"]:
        precision = "-" if row["precision"] is None else f"{row['precision']:.1%}"
        said.append(
            f"{row['samples']:<28} precision {precision}, recall {row['recall']:.1%} of "
            f"{row['failed']} failed, {row['saved']:.1%} of characters saved"
        )
    useful = (result["precision"] or 0) >= PRECISION and result["recall"] >= RECALL
    return [*said, "useful" if useful else "of no use by the rule set before measuring"]
