"""Print what is promised, the command that measures it, and the value now."""

import argparse
import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from midline.benchmarks.figures.figure import FOLDER, RESULTS, Figure, load_figures
from midline.benchmarks.outputs import output_file
from midline.model.errors import MidlineError, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the names, --json, --plot and --run."""
    parser.add_argument("names", nargs="*", metavar="NAME", help="figures (default: all)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--plot", type=output_file, metavar="FILE", help="draw the recorded speeds")
    parser.add_argument("--run", action="store_true", help="measure them again first")


def run(args: argparse.Namespace) -> int:
    """Print every chosen figure; 1 if one that was measured is missed or cannot be measured now."""
    if not RESULTS.is_dir():
        raise MidlineError(
            "the recorded results are part of the repository and not of the installed package; "
            "run this in a clone of it, installed with `pip install -e .`"
        )
    figures = choose(load_figures(), args.names)
    failed = measure_all(figures) if args.run else []
    if args.plot:
        plot(figures, args.plot)
    rows = [describe(figure) for figure in figures]
    if args.json:
        print(json.dumps(rows, indent=1))
    else:
        print("\n".join(line for row in rows for line in row_lines(row)))
    if failed:
        raise MidlineError(
            f"{', '.join(failed)} could not be measured now; what the commands said stands above"
        )
    return int(any(row["status"] == "missed" for row in rows))


def choose(figures: list[Figure], names: list[str]) -> list[Figure]:
    """The figures called `names`, all of them if there are none; UsageError for an unknown one."""
    known = {figure.name: figure for figure in figures}
    for name in names:
        if name not in known:
            raise UsageError(f"no figure is called {name!r}; there are {', '.join(known)}")
    return [known[name] for name in names] if names else figures


def measure_all(figures: list[Figure]) -> list[str]:
    """Run every command once, whatever became of those before; names of the figures that failed.

    Commands run from the root of the checkout this module lies in; UsageError if it is in none.
    """
    root = FOLDER.parent
    if not (root / "pyproject.toml").exists():
        raise UsageError(
            "--run records results in a checkout; install Midline with `pip install -e .`"
        )
    commands = dict.fromkeys(figure.command for figure in figures)
    failed = [command for command in commands if measure(command, root) != 0]
    return [figure.name for figure in figures if figure.command in failed]


def measure(command: str, root: Path) -> int:
    """Run a figure's command in the folder `root`; its exit status, told unless it is 0."""
    program, *words = shlex.split(command)
    modules = {"midline-bench": "midline.benchmarks.main", "midline": "midline.server.cli.main"}
    python = [sys.executable, "-P", "-m", modules[program]]
    print(f"$ {command}", file=sys.stderr, flush=True)
    done = subprocess.run([*python, *words], cwd=root, stdout=sys.stderr, check=False)
    if done.returncode != 0:
        print(f"`{command}` ended with status {done.returncode}", file=sys.stderr)
    return done.returncode


def plot(figures: list[Figure], path: Path) -> None:
    """Draw every recorded comparison of speeds to `path`; UsageError when there is none."""
    from midline.benchmarks.speed.plot import draw

    names = dict.fromkeys(figure.result for figure in figures)
    recorded = [RESULTS / name for name in names if (RESULTS / name).exists()]
    results = [json.loads(result.read_text("utf-8")) for result in recorded]
    speeds = [result for result in results if result.get("pair_ratios") and result.get("rows")]
    if not speeds:
        raise UsageError("no speed is recorded yet; measure with `midline-bench figures --run`")
    draw(speeds, path)


def describe(figure: Figure) -> dict[str, Any]:
    """The figure as `--json` prints it."""
    value = figure.recorded()
    return {
        "name": figure.name,
        "issue": figure.issue,
        "wanted": figure.wanted,
        "value": value,
        "unit": figure.unit,
        "status": figure.status(value),
        "command": figure.command,
        "result": f"benchmarks/results/{figure.result}",
    }


def row_lines(row: dict[str, Any]) -> list[str]:
    """Two lines: the promise and its value, then the command."""
    value = "-" if row["value"] is None else f"{row['value']:.4g}"
    return [
        f"{row['status']:<13} {row['name']:<28} {value:>9}  (wanted {row['wanted']}) {row['unit']}",
        f"{'':<13} {row['command']}",
    ]
