"""Report on a result folder, or compare two task by task: text table, JSON and plot."""

import argparse
import json
from pathlib import Path
from typing import Any

from midline.benchmarks.mbxp.plot import bar_chart
from midline.benchmarks.mbxp.record import VERDICT_FIELDS, verdict_rows, write_table
from midline.benchmarks.mbxp.report import (
    build_report,
    compare,
    render,
    render_comparison,
    write_json,
    write_text,
)
from midline.benchmarks.mbxp.results import RESULTS, Result, latest_results
from midline.benchmarks.mbxp.session import REPORT
from midline.benchmarks.outputs import output_file
from midline.model.errors import UsageError

NO_ROWS = {"languages", "benchmark"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """One folder, or two to compare."""
    parser.add_argument("folders", nargs="+", type=Path, metavar="DIR")
    parser.add_argument("--json", action="store_true", help="print JSON instead of tables")

    parser.add_argument(
        "--verdicts",
        type=output_file,
        metavar="FILE",
        help="write the verdicts of the first folder as a table",
    )


def run(args: argparse.Namespace) -> int:
    """Print and write the report of each folder and the comparison of two."""
    if len(args.folders) > 2:
        raise UsageError("report takes one result folder, or two to compare")
    results = [_results(folder) for folder in args.folders]
    reports = [_report(f, r) for f, r in zip(args.folders, results, strict=True)]
    charts = [(folder.name, report) for folder, report in zip(args.folders, reports, strict=True)]
    write_text(args.folders[0] / "report.svg", bar_chart(charts))
    content: dict[str, Any] = {"reports": reports}
    text = "\n\n".join(map(render, reports))
    if len(results) == 2:
        content["comparison"] = compare(*results)
        names = [str(folder) for folder in args.folders]
        text += "\n\n" + render_comparison(content["comparison"], *names)
        write_json(args.folders[0] / "comparison.json", content["comparison"])
    if args.verdicts is not None:
        write_table(args.verdicts, VERDICT_FIELDS, verdict_rows(results[0]))
    print(json.dumps(content, indent=2) if args.json else text)
    return 0


def _results(folder: Path) -> list[Result]:
    results = list(latest_results(folder / RESULTS).values())
    if not results:
        raise UsageError(f"{folder} has no results; `midline-bench mbxp evaluate` makes them")
    return results


def _report(folder: Path, results: list[Result]) -> dict[str, Any]:
    path = folder / REPORT
    settings = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    report = build_report(results, {k: v for k, v in settings.items() if k not in NO_ROWS})
    write_json(path, report)
    return report
