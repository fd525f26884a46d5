"""`midline-bench quality sparsity --gate`: the highest sparsity level that passes the quality gate.

Reads what other commands have recorded of one model: perplexity (`quality sparsity --json`), MBXP
Python verdicts dense and at each level (`mbxp run --sparsity S`; pairs of the same task), and, if
they are there, marked cursors (`quality cursor --sparsity S`) and decoding against llama.cpp
(`speed decode --sparsity S`). A level counts if it has a shipped profile, a multiple of 5%, and
passes only where all of it was measured.
"""

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from midline.benchmarks.figures.lookup import look_up
from midline.benchmarks.mbxp.record import read_table
from midline.benchmarks.mbxp.results import RESULTS, latest_results
from midline.benchmarks.mbxp.statistics import paired_difference
from midline.benchmarks.mbxp.status import Status
from midline.model.errors import UsageError

MOST_RISE = 0.015
LEAST_DIFFERENCE = -0.01
LEAST_LOWER_END = -0.025
"""Limits of the rise of perplexity, of the loss of pass@1, and of its interval's lower end."""
Row = dict[str, Any]


def judged(args: argparse.Namespace) -> dict[str, Any]:
    """Rows by level and the highest level that passes, 0 where none does.

    Raises UsageError naming the command whose result is missing.
    """
    model, folder = Path(args.model).name, args.results
    measured = read_json(folder / f"sparsity-{model}.json")
    if measured is None:
        raise UsageError(
            f"{folder} has no sparsity-{model}.json; `midline-bench quality sparsity --model "
            f"{args.model} --levels 0.25 0.3 0.35 0.4 0.45 0.5 0.55 0.6 --json FILE` makes it"
        )
    named = verdict_paths(args.pass_at_1 or [])
    dense = read_verdicts(named.get(0, folder / "mbxp" / f"greedy-python-{model}-python.tsv"))
    if not dense:
        raise UsageError(
            "there are no dense MBXP verdicts; name them: --pass-at-1 0=FOLDER, made by "
            f"`midline-bench mbxp run --model {args.model} --lang python --out FOLDER`"
        )
    rows = []
    for row in measured["rows"]:
        percent = round(100 * row["sparsity"])
        if row["variant"] == "shipped" and percent % 5 == 0:
            table = folder / "mbxp" / f"sparse-{percent}-{model}-python.tsv"
            verdicts = read_verdicts(named.get(percent, table))
            price = passed(row["perplexity_rise"], dense, verdicts)
            rows.append({**row, **price, **beside(folder, percent, model)})
    accepted = [row["sparsity"] for row in rows if not row["reasons"]]
    return {
        "dense_perplexity": look_up(measured, "rows[variant=dense].perplexity"),
        "dense_pass_at_1": sum(dense.values()) / len(dense),
        "tasks": len(dense),
        "rows": rows,
        "default_level": max(accepted, default=0.0),
    }


def passed(rise: float, dense: Mapping[str, bool], sparse: Mapping[str, bool]) -> Row:
    """What pass@1 lost, and the reasons why the level does not pass: none if it does."""
    reasons = [f"perplexity is {rise:.2%} higher"] if not rise <= MOST_RISE else []
    missing = len(dense.keys() - sparse.keys())
    if missing:
        lacking = f"{missing} of {len(dense)}" if sparse else "none of the"
        verb = "lack a" if sparse else "has a"
        return {"pass_at_1": None, "reasons": [*reasons, f"{lacking} tasks {verb} verdict"]}
    found = paired_difference([(int(sparse[task]), int(dense[task])) for task in dense])
    if found["difference"] < LEAST_DIFFERENCE:
        reasons.append(f"pass@1 is {-100 * found['difference']:.2f} points lower")
    if not found["interval"][0] > LEAST_LOWER_END:
        reasons.append(f"it may be {-100 * found['interval'][0]:.2f} points lower")
    score = sum(sparse[task] for task in dense) / len(dense)
    return {"pass_at_1": score, "pass_at_1_change": found, "reasons": reasons}


def verdict_paths(pairs: Sequence[str]) -> dict[int, Path]:
    """`LEVEL=PATH` by percent; UsageError for another form."""
    found = {}
    for pair in pairs:
        level, equals, path = pair.partition("=")
        try:
            percent = round(100 * float(level))
        except (ValueError, OverflowError):
            equals = ""
        if not equals or not path:
            raise UsageError(f"--pass-at-1 {pair} is not LEVEL=PATH, like 0.4=build/mbxp/sparse")
        if not Path(path).exists():
            raise UsageError(f"{path} does not exist; `midline-bench mbxp run` makes it")
        found[percent] = Path(path)
    return found


def read_verdicts(path: Path) -> dict[str, bool]:
    """Whether each task that was executed passed: of a result folder or a recorded table."""
    if path.is_dir():
        found = latest_results(path / RESULTS).items()
        rows = [(task, sample, result.corrected) for (task, sample), result in found]
    else:
        rows = [(r["task_id"], int(r["sample"]), r["corrected"]) for r in read_table(path)]
    return {
        task: status == Status.PASS
        for task, sample, status in rows
        if sample == 0 and Status(status).judged
    }


def beside(folder: Path, percent: int, model: str) -> Row:
    """What else the level costs and gains, where it was recorded."""
    cursor = read_json(folder / f"cursor-sparse-{percent}-{model}.json")
    decode = read_json(folder / f"decode-sparse-{percent}-{model}.json")
    speed = look_up(decode, "rows[engine=midline].tokens_per_second") if decode else None
    return {
        "exact_match_change": cursor["sparse"]["exact"] if cursor else None,
        "tokens_per_second": speed,
        "over_peer": decode["ratio"] if decode else None,
    }


def read_json(path: Path) -> Any:
    """The content of a recorded result; None where there is no such file."""
    if not path.is_file():
        return None
    try:
        return json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise UsageError(f"{path} is no result ({error}); measure it again") from None


def table(result: Mapping[str, Any]) -> list[str]:
    """The levels as printed, and what the gate says."""
    lines = [
        f"dense: perplexity {result['dense_perplexity']:.4f}, pass@1 "
        f"{result['dense_pass_at_1']:.2%} of {result['tasks']} tasks",
        f"{'level':>5}{'perplexity':>12}{'pass@1':>9}{'change':>9}{'95% interval':>20}{'p':>8}"
        f"{'exact match':>13}{'fewer bytes':>13}{'tokens/s':>10}  verdict",
    ]
    lines += map(_line, result["rows"])
    level = result["default_level"]
    verdict = f"{level:.0%} is the highest level that passes" if level else "no level passes"
    return [*lines, f'{verdict}: "sparsity": {level:g} in model/engines/native/policy.json']


def _line(row: Row) -> str:
    change, cursor = row.get("pass_at_1_change"), row["exact_match_change"]
    low, high = change["interval"] if change else (0.0, 0.0)
    cells = [
        f"{row['sparsity']:>5.0%}",
        f"{row['perplexity_rise']:>+12.2%}",
        f"{row['pass_at_1']:>9.2%}" if change else f"{'-':>9}",
        f"{change['difference']:>+9.2%}" if change else f"{'-':>9}",
        f"{f'{low:+.2%} to {high:+.2%}':>20}" if change else f"{'-':>20}",
        f"{change['p_value']:>8.3f}" if change else f"{'-':>8}",
        f"{cursor['difference']:>+13.1%}" if cursor else f"{'-':>13}",
        f"{row['bytes_ratio']:>12.2f}x",
        f"{row['tokens_per_second']:>10.1f}" if row["tokens_per_second"] else f"{'-':>10}",
    ]
    return "".join(cells) + "  " + ("; ".join(row["reasons"]) or "passes")
