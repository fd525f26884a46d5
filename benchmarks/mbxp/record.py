"""Recorded evaluations: one report per kind, one table of verdicts per language.

A report, NAME.json, has one row per language; recording replaces the rows of the languages
evaluated and keeps the others. NAME-LANGUAGE.tsv has the corrected and the uncorrected verdict on
every sample.
"""

import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.mbxp.languages import NAMES
from midline.benchmarks.mbxp.report import write_json, write_text
from midline.benchmarks.mbxp.results import Result
from midline.benchmarks.mbxp.status import Status
from midline.model.errors import MidlineError

EXCEPTION_FIELDS = ("task_id", "corrected", "uncorrected", "cause", "reason")
VERDICT_FIELDS = ("task_id", "sample", "corrected", "uncorrected")
DATA_CAUSES = frozenset({"solution", "task"})
"""Causes of failure in the data: a wrong solution, or a task without a solution."""
OF_THE_RUN = ("workers", "executed", "elapsed_seconds")
PUBLISHED = {
    "python": 0.8224, "java": 0.8530, "javascript": 0.7867, "typescript": 0.8729,
    "kotlin": 0.6377, "ruby": 0.5890, "php": 0.7277, "cpp": 0.7960, "csharp": 0.6363,
    "go": 0.3919, "perl": 0.3841, "scala": 0.4296, "swift": 0.2940,
}  # fmt: skip
"""pass@1 of the published sample completions, as the reference's own page states them."""
Row = dict[str, Any]
Tables = Mapping[str, Sequence[Result]]


def record_samples(path: Path, report: Row, results: Sequence[Result]) -> None:
    """Verdicts on the published samples, beside the scores published with them."""
    merged = _merge(path, report)
    for row in merged["languages"]:
        if row["language"] not in PUBLISHED:
            raise MidlineError(
                f"the published score of {row['language']} is not known; add it to PUBLISHED in "
                f"{__file__}"
            )
        row["published_pass_at_1"] = PUBLISHED[row["language"]]
    merged["largest_difference"] = max(map(_difference, merged["languages"]))
    write_json(path, merged)
    _write_tables(path, results)


def record_canonical(path: Path, report: Row, results: Sequence[Result]) -> list[str]:
    """Scores of the data's own solutions; returns the exceptions that still lack a reason.

    `either_pass_rate` is of the solutions that pass with the corrections or without, and
    `sound_pass_rate` the same without those whose failure is the data's, by their recorded cause.
    """
    exceptions = _merge_exceptions(exceptions_of(path), results)
    by_language = _by_language(results)
    for row in report["languages"]:
        own = by_language[row["language"]]
        failed = [r.task_id for r in own if not _passes(r)]
        unsound = sum(exceptions[task]["cause"] in DATA_CAUSES for task in failed)
        passed = len(own) - len(failed)
        row["either_pass_rate"] = passed / len(own)
        row["sound_pass_rate"] = passed / max(1, len(own) - unsound)
    merged = _merge(path, report)
    merged["lowest_sound_pass_rate"] = min(r["sound_pass_rate"] for r in merged["languages"])
    write_json(path, merged)
    return [task for task, row in exceptions.items() if not row["reason"]]


def record_run(path: Path, report: Row, results: Sequence[Result]) -> Row:
    """Scores of completions that Midline generated; the merged report, for its plot."""
    generation = report.pop("generation", {})
    for row in report["languages"]:
        row["generation"] = generation.get(row["language"], {})
    merged = _merge(path, report)
    scores = [row["pass_at_k"]["1"] for row in merged["languages"]]
    merged["mean_pass_at_1"] = sum(scores) / len(scores)
    write_json(path, merged)
    _write_tables(path, results)
    return merged


def exceptions_of(path: Path) -> Path:
    """Where the solutions are listed that do not pass, beside the report at `path`."""
    return path.with_name(f"{path.stem}-exceptions.tsv")


def read_table(path: Path) -> list[dict[str, str]]:
    """Rows of a tab-separated file by column; none if there is no such file."""
    if not path.is_file():
        return []
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def write_table(path: Path, fields: Sequence[str], rows: Sequence[Mapping[str, Any]]) -> None:
    """Write `rows` tab-separated under a line of column names."""
    lines = ["\t".join(fields), *("\t".join(str(row[f]) for f in fields) for row in rows)]
    write_text(path, "\n".join(lines) + "\n")


def verdict_rows(results: Sequence[Result]) -> list[Row]:
    """Task, sample and both verdicts, in order: what two runs must agree on."""
    ordered = sorted(results, key=lambda r: (NAMES.index(r.language), r.task_id, r.sample))
    return [{field: getattr(result, field) for field in VERDICT_FIELDS} for result in ordered]


def _merge(path: Path, report: Row) -> Row:
    before: Row = {}
    if path.is_file():
        try:
            before = json.loads(path.read_text("utf-8"))
        except ValueError as error:
            raise MidlineError(f"{path} is no report ({error}); remove it to go on") from error
    rows = {row["language"]: row for row in before.get("languages", [])}
    rows |= {row["language"]: row for row in report["languages"]}
    merged = {key: value for key, value in report.items() if key not in OF_THE_RUN}
    toolchains = {**before.get("toolchains", {}), **report.get("toolchains", {})}
    merged["toolchains"] = {name: toolchains[name] for name in NAMES if name in toolchains}
    merged["languages"] = [rows[name] for name in NAMES if name in rows]
    return merged


def _merge_exceptions(path: Path, results: Sequence[Result]) -> dict[str, Row]:
    """Write what fails now in place of what was listed of these tasks, reasons kept."""
    listed: dict[str, Row] = {row["task_id"]: dict(row) for row in read_table(path)}
    judged = {result.task_id: result for result in results}
    kept = {task: row for task, row in listed.items() if task not in judged}
    for result in results:
        if result.corrected != Status.PASS:
            kept[result.task_id] = _exception(result, listed.get(result.task_id))
    ordered = sorted(kept.values(), key=lambda row: _place(str(row["task_id"])))
    write_table(path, EXCEPTION_FIELDS, ordered)
    return kept


def _exception(result: Result, before: Row | None) -> Row:
    verdicts = {"corrected": str(result.corrected), "uncorrected": str(result.uncorrected)}
    same = before is not None and all(before[key] == value for key, value in verdicts.items())
    cause, reason = (before["cause"], before["reason"]) if before and same else ("", "")
    if not reason and result.uncorrected == Status.PASS:
        cause, reason = "solution", "ends with exit status 0 before the tests are through"
    return {"task_id": result.task_id, **verdicts, "cause": cause, "reason": reason}


def _place(task_id: str) -> tuple[str, int]:
    family, _, number = task_id.partition("/")
    return family, int(number)


def _passes(result: Result) -> bool:
    return Status.PASS in (result.corrected, result.uncorrected)


def _difference(row: Row) -> float:
    plain: float = row["uncorrected_pass_at_k"]["1"]
    return abs(plain - row["published_pass_at_1"])


def _write_tables(path: Path, results: Sequence[Result]) -> None:
    for language, own in _by_language(results).items():
        table = path.with_name(f"{path.stem}-{language}.tsv")
        write_table(table, VERDICT_FIELDS, verdict_rows(own))


def _by_language(results: Sequence[Result]) -> dict[str, list[Result]]:
    tables: dict[str, list[Result]] = {}
    for result in results:
        tables.setdefault(result.language, []).append(result)
    return tables
