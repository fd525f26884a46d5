"""`midline model calibrate`: TEAL thresholds for a model, calibrated on the user's own text."""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from midline.model.catalog.catalog import resolve
from midline.model.errors import UsageError
from midline.model.paths import profiles_folder
from midline.model.teal.profile import INPUTS, MAX_LEVEL, check_level, describe, write_profile
from midline.server.cli.generation_arguments import add_threads_argument


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the calibration text and the sparsity levels."""
    add = parser.add_argument
    add("name", metavar="NAME", help="a name of the catalogue or the path of a GGUF file")
    add("--text", type=Path, nargs="+", required=True, metavar="PATH", help="files or folders")
    add(
        "--sparsity",
        type=float,
        nargs="+",
        required=True,
        metavar="S",
        help="sparsity levels, from 0 to 0.9",
    )
    add("--allocation", choices=("greedy", "uniform"), default="greedy",
        help="different or equal levels for the matrices (default: greedy)")  # fmt: skip
    add("--criterion", choices=("weighted", "magnitude"), default="weighted",
        help="what thresholds apply to (default: magnitude times column norm)")  # fmt: skip
    add("--dense", nargs="+", choices=INPUTS, default=[], metavar="INPUT",
        help=f"inputs that stay dense: {', '.join(INPUTS)}")  # fmt: skip
    add("--description", metavar="TEXT", help="a description of the text, kept in the profile")
    add("--to", type=Path, metavar="DIR", help="folder of the profiles (default: Midline's own)")
    add_threads_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Calibrate, write one profile per level and print the path of each."""
    for level in args.sparsity:
        check_level(level)
        if level < 0.01 or abs(level * 100 - round(level * 100)) > 1e-6:
            raise UsageError(
                f"sparsity is {level:g}; calibrate for whole percents from 0.01 to {MAX_LEVEL}"
            )
    resolve(args.name)
    from midline.model.compression.teal_calibration import measure, read_text

    text = read_text(args.text)
    description = args.description or ", ".join(sorted({path.name for path in args.text}))
    from midline.model.engines.native.engine import NativeEngine

    engine = NativeEngine.load(args.name, threads=args.threads)
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(file=sys.stderr)) as progress:
        tasks: dict[str, TaskID] = {}

        def report(what: str, share: float) -> None:
            if what not in tasks:
                tasks[what] = progress.add_task(what, total=1.0)
            progress.update(tasks[what], completed=share)

        measured = measure(engine, text, description, report)
    for level in args.sparsity:
        profile = measured.profile(
            round(level * 100) / 100, args.allocation, args.criterion, args.dense
        )
        path = write_profile(profile, args.to or profiles_folder())
        print(describe(profile), file=sys.stderr)
        print(path)
    return 0
