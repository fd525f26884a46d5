"""`midline model quantize`: a model written anew in the form that a recipe describes."""

import argparse
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from midline.model.cancellation import Cancelled
from midline.model.catalog.catalog import CATALOGUE, resolve
from midline.model.errors import MidlineError, UsageError
from midline.model.paths import cache_folder

OWN_CODE = Path(__file__).resolve().parent.parent.parent / "model"
"""What is calibrated on where no text was named: Midline's own sources."""


class Interrupted(MidlineError):
    """The user stopped a quantization."""

    exit_status = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the recipe, the place and the calibration text."""
    add = parser.add_argument
    add("name", metavar="NAME", help="a name of the catalogue or the path of a GGUF file")
    add("--recipe", required=True, metavar="R",
        help="a name of `midline model recipes` or a TOML file of that form")  # fmt: skip
    add("--to", type=Path, metavar="PATH", help="file or folder to write (default: in the cache)")
    add("--text", type=Path, nargs="+", metavar="PATH",
        help="files or folders of code to calibrate on (default: Midline's own)")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Quantize and print where the model is."""
    from midline.model.compression.quantization.recipe import find_recipe
    from midline.model.compression.quantization.writing import write_model
    from midline.server.cli.generation_arguments import cancelled_by_ctrl_c

    recipe = find_recipe(args.recipe)
    source = resolve(args.name)
    target = args.to or default_target(args.name, source, recipe.name, recipe.engine)
    if target.exists() and target.resolve() == source.resolve():
        raise UsageError(f"{target} is the model that is read; name another place with --to")
    text = calibration_text(args.text) if recipe.calibration.method != "none" else ""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    try:
        with (
            cancelled_by_ctrl_c() as cancel,
            Progress(*columns, console=Console(file=sys.stderr)) as progress,
        ):
            task = progress.add_task(recipe.name, total=1.0)

            def report(share: float) -> None:
                progress.update(task, completed=share)

            is_new = write_model(source, target, recipe, text, progress=report, cancel=cancel)
    except (Cancelled, KeyboardInterrupt):
        raise Interrupted(f"interrupted; the same command writes {target.name} again") from None
    print(f"{recipe.title}{'' if is_new else ' (was there already)'}", file=sys.stderr)
    print(target)
    return 0


def default_target(name: str, source: Path, recipe: str, engine: str) -> Path:
    """Where a model is written that has no place of its own."""
    stem = name if name in CATALOGUE else source.stem
    suffix = ".gguf" if engine == "native" else ".onnx"
    return cache_folder() / "quantized" / f"{stem}-{recipe}{suffix}"


def calibration_text(paths: list[Path] | None) -> str:
    """The text of these files and folders; UsageError for an empty or binary one."""
    from midline.model.compression.teal_calibration import read_text

    return read_text(paths or [OWN_CODE])


def print_recipes() -> None:
    """A line for each recipe that comes with Midline."""
    from midline.model.compression.quantization.recipe import find_recipe, recipe_names

    for name in recipe_names():
        recipe = find_recipe(name)
        print(f"{name:<26}{recipe.engine:<8}{recipe.title}")
