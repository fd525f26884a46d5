"""Reports: pass@k per language with intervals, statuses and times, and paired comparisons."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import Any

from midline.benchmarks.mbxp.languages import NAMES
from midline.benchmarks.mbxp.results import Result
from midline.benchmarks.mbxp.statistics import Paired, pass_at_k, wilson
from midline.benchmarks.mbxp.status import Status
from midline.model.errors import MidlineError

KS = (1, 5, 10, 100)


def build_report(results: Sequence[Result], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Per-language rows of `results` with the `settings` they were obtained under."""
    names = [name for name in NAMES if any(r.language == name for r in results)]
    rows = [language_row([r for r in results if r.language == name]) for name in names]
    return {"benchmark": "mbxp", **settings, "languages": rows}


def language_row(results: Sequence[Result]) -> dict[str, Any]:
    """One language: scores over the tasks that could be executed.

    `pass_at_k` has a k only where every task has that many samples; `interval` is the 95% Wilson
    interval of pass@1. It counts with the corrections the run was asked for; beside it stand the
    score with all of them and the `uncorrected` one by the reference evaluator's rules. Times are
    those of the `timed_samples`, all that were executed.
    """
    judged = [r for r in results if Status(r.status).judged]
    by_task = _by_task(judged)
    score = _scores(by_task, "status")
    statuses = Counter(r.status for r in results)
    passed = score.get("1", 0.0) * len(by_task)
    timed = [r.seconds for r in results if r.seconds > 0]
    return {
        "language": results[0].language,
        "tasks": len(by_task),
        "samples": len(results),
        "pass_at_k": score,
        "interval": list(wilson(passed, len(by_task))),
        "corrected_pass_at_k": _scores(by_task, "corrected"),
        "uncorrected_pass_at_k": _scores(by_task, "uncorrected"),
        "corrections": dict(Counter(name for r in judged for name in r.corrections)),
        "statuses": dict(statuses.most_common()),
        "compile_seconds": round(sum(r.compile_seconds for r in results), 2),
        "run_seconds": round(sum(r.run_seconds for r in results), 2),
        "timed_samples": len(timed),
        "median_seconds": round(median(timed), 4) if timed else 0.0,
    }


def compare(first: Iterable[Result], second: Iterable[Result]) -> list[dict[str, Any]]:
    """McNemar's comparison of two runs, task by task: sample 0 of the tasks that both executed."""
    left, right = _first_samples(first), _first_samples(second)
    rows = []
    for name in NAMES:
        common = [t for t, r in left.items() if t in right and r.language == name]
        if not common:
            continue
        pairs = Counter(
            (left[t].status == Status.PASS, right[t].status == Status.PASS) for t in common
        )
        paired = Paired(
            pairs[True, True], pairs[True, False], pairs[False, True], pairs[False, False]
        )
        rows.append(
            {
                "language": name,
                "tasks": len(common),
                "both": paired.both,
                "first_only": paired.first,
                "second_only": paired.second,
                "neither": paired.neither,
                "p_value": paired.p_value,
            }
        )
    return rows


def render(report: Mapping[str, Any]) -> str:
    """The report as a text table."""
    lines = [
        f"isolation: {report.get('sandbox')}; known defects of the benchmark corrected: "
        f"{', '.join(report.get('corrections') or []) or 'none'}",
        f"{'language':<11}{'tasks':>6}{'pass@1':>8}{'95% interval':>16}{'corrected':>11}"
        f"{'uncorrected':>13}{'seconds':>9}  statuses",
    ]
    lines += [_row_text(row) for row in report["languages"]]
    return "\n".join(lines)


def render_comparison(rows: Sequence[Mapping[str, Any]], first: str, second: str) -> str:
    """The comparison as a text table."""
    lines = [
        f"A = {first}, B = {second}; p: exact McNemar test, tasks paired",
        f"{'language':<11}{'tasks':>6}{'both':>6}{'A only':>8}{'B only':>8}{'neither':>9}{'p':>10}",
    ]
    for row in rows:
        lines.append(
            f"{row['language']:<11}{row['tasks']:>6}{row['both']:>6}{row['first_only']:>8}"
            f"{row['second_only']:>8}{row['neither']:>9}{row['p_value']:>10.3g}"
        )
    return "\n".join(lines)


def write_json(path: Path, content: Any) -> None:
    """Write `content` as readable JSON; MidlineError where that is not possible."""
    write_text(path, json.dumps(content, indent=2) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write `text`, creating the folder; MidlineError if that fails."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise MidlineError(
            f"cannot write {path}: {error.strerror}; put that right and run the same command again"
        ) from error


def _row_text(row: Mapping[str, Any]) -> str:
    score = row["pass_at_k"].get("1")
    others = [row[f"{which}_pass_at_k"].get("1") for which in ("corrected", "uncorrected")]
    corrected, plain = ("" if other == score else _percent(other) for other in others)
    interval = "-".join(f"{100 * bound:.1f}" for bound in row["interval"])
    statuses = ", ".join(f"{status} {count}" for status, count in row["statuses"].items())
    more = "".join(
        f"; pass@{k} {_percent(value)}" for k, value in row["pass_at_k"].items() if k != "1"
    )
    return (
        f"{row['language']:<11}{row['tasks']:>6}{_percent(score):>8}{interval:>16}{corrected:>11}"
        f"{plain:>13}{row['compile_seconds'] + row['run_seconds']:>9.1f}  {statuses}{more}"
    )


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{100 * value:.2f}"


def _by_task(results: Iterable[Result]) -> dict[str, list[Result]]:
    by_task: dict[str, list[Result]] = {}
    for result in results:
        by_task.setdefault(result.task_id, []).append(result)
    return by_task


def _scores(by_task: Mapping[str, Sequence[Result]], which: str) -> dict[str, float]:
    least = min((len(samples) for samples in by_task.values()), default=0)
    scores = {}
    for k in KS:
        if k <= least:
            each = [
                pass_at_k(len(rs), sum(getattr(r, which) == Status.PASS for r in rs), k)
                for rs in by_task.values()
            ]
            scores[str(k)] = sum(each) / len(each)
    return scores


def _first_samples(results: Iterable[Result]) -> dict[str, Result]:
    return {r.task_id: r for r in results if r.sample == 0 and Status(r.status).judged}
