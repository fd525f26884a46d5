"""Print the measured figures, their targets and floors, and the commands that measure them.

A target is the value aimed at; a recorded value may miss it, and is then printed with what limits
it. A floor is the last accepted value less its noise; a value below it is a regression. Only a
regression or a measurement that fails makes this command fail.
"""

import argparse
import json
import shlex
import subprocess
import sys
from collections import Counter
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from midline import kernels
from midline.benchmarks.figures.figure import FOLDER, REPORTED, RESULTS, Figure, load_figures
from midline.benchmarks.outputs import output_file
from midline.model.errors import MidlineError, UsageError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the names of the figures and the actions."""
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a figure, the beginning of several names up to a hyphen, or a pattern such as "
        "'decode-*-1.5b' (default: all)",
    )
    parser.add_argument(
        "--isa", metavar="ISA", help="only figures of an instruction set, such as avx2"
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--plot", type=output_file, metavar="FILE", help="draw the recorded speeds")
    parser.add_argument(
        "--run", action="store_true", help="run the commands first, which records new results"
    )
    parser.add_argument(
        "--floors", action="store_true", help="print the floors that the recorded values would set"
    )


def run(args: argparse.Namespace) -> int:
    """Print every chosen figure; MidlineError names those below their floor or not measurable."""
    if not RESULTS.is_dir():
        raise MidlineError(
            "the recorded results are part of the repository and not of the installed package; "
            "run this in a clone of it, installed with `pip install -e .`"
        )
    figures = choose(load_figures(), args.names, args.isa)
    failed = measure_all(figures) if args.run else []
    if args.plot:
        plot(figures, args.plot)
    rows = [describe(figure) for figure in figures]
    if args.json:
        print(json.dumps(rows, indent=1))
    elif args.floors:
        print("\n".join(floor_line(figure) for figure in figures if figure.noise))
    else:
        print("\n".join([*(line for row in rows for line in row_lines(row)), summary(rows)]))
    if failed:
        raise MidlineError(
            f"{', '.join(failed)} could not be measured now; what the commands said stands above"
        )
    regressed = [row["name"] for row in rows if row["status"] == "regressed"]
    if regressed:
        raise MidlineError(
            f"{', '.join(regressed)} fell below the last accepted value by more than its noise; "
            "mend that, or accept the value by a new floor in benchmarks/figures.toml"
        )
    return 0


def choose(figures: list[Figure], names: list[str], isa: str | None = None) -> list[Figure]:
    """The figures that `names` select, all if there are none, of `isa`, each once.

    Raises UsageError for a name that selects none, and for an instruction set that no figure is of.
    """
    known = {figure.name: figure for figure in figures}
    selected = dict.fromkeys(found for name in names for found in _selected(name, list(known)))
    sets = {figure.isa for figure in figures if figure.isa}
    if isa is not None and isa not in sets:
        raise UsageError(f"no figure is of --isa {isa}; there are {', '.join(sorted(sets))}")
    chosen = [known[name] for name in selected] if names else figures
    return [figure for figure in chosen if isa is None or figure.isa == isa]


def _selected(name: str, known: list[str]) -> list[str]:
    """The figure called `name`, or those that it matches as a pattern (`fnmatch`) or begins.

    Raises UsageError if there is none.
    """
    if name in known:
        return [name]
    found = [other for other in known if fnmatchcase(other, name) or other.startswith(f"{name}-")]
    if not found:
        raise UsageError(f"no figure is called {name!r}; there are {', '.join(known)}")
    return found


def measure_all(figures: list[Figure]) -> list[str]:
    """Run every command once, even after failures; returns the names of the figures that failed.

    Commands run from the root of the checkout this module lies in; UsageError if it is in none.
    Figures of an instruction set that is not chosen here are named and not measured, since the
    result would be of other kernels.
    """
    root = FOLDER.parent
    if not (root / "pyproject.toml").exists():
        raise UsageError(
            "--run records results in a checkout; install Midline with `pip install -e .`"
        )
    other = [figure.name for figure in figures if not is_of_this_machine(figure)]
    if other:
        print(f"not measured with these kernels: {', '.join(other)}", file=sys.stderr)
    commands = dict.fromkeys(f.command for f in figures if is_of_this_machine(f))
    failed = [command for command in commands if measure(command, root) != 0]
    return [figure.name for figure in figures if figure.command in failed]


def is_of_this_machine(figure: Figure) -> bool:
    """Whether the figure's command, run here, is measured with the kernels of its instruction set.

    A command that has --isa chooses them itself.
    """
    return not figure.isa or "--isa" in figure.command or figure.isa == kernels.kernel_name()


def measure(command: str, root: Path) -> int:
    """Run a figure's command in the folder `root`; its exit status, printed unless it is 0."""
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
        "wanted": figure.wanted,
        "floor": figure.floor or None,
        "value": value,
        "unit": figure.unit,
        "isa": figure.isa or None,
        "status": figure.status(value),
        "limit": figure.limit or None,
        "command": figure.command,
        "result": f"benchmarks/results/{figure.result}",
    }


def row_lines(row: dict[str, Any]) -> list[str]:
    """The figure with its value, its command, and what limits a target that is missed."""
    value = "-" if row["value"] is None else f"{row['value']:.4g}"
    terms = [
        row["wanted"] if row["wanted"] == REPORTED else f"target {row['wanted']}",
        f"floor {row['floor']}" if row["floor"] else "",
        row["isa"] or "",
    ]
    promise = ", ".join(term for term in terms if term)
    lines = [
        f"{row['status']:<13} {row['name']:<36} {value:>9}  ({promise}) {row['unit']}",
        f"{'':<13} {row['command']}",
    ]
    if row["status"] == "missed" and row["limit"]:
        lines.append(f"{'':<13} {row['limit']}")
    return lines


def summary(rows: list[dict[str, Any]]) -> str:
    """How many figures there are of each status."""
    counts = Counter(row["status"] for row in rows)
    return (
        f"{len(rows)} figures: {counts['ok']} reach their target, {counts['missed']} miss it, "
        f"{counts[REPORTED]} have none, {counts['not measured']} are not measured, "
        f"{counts['regressed']} fell below their floor"
    )


def floor_line(figure: Figure) -> str:
    """The floor there is and the one that the recorded value would set."""
    following = figure.next_floor() or "not measured"
    return f"{figure.name:<36} {figure.floor or '-':<12} -> {following:<12} ({figure.noise})"
