"""Complete a file at a position: LINE and COL count from 1, COL points before its character.

The completion goes to standard output, the best first if there are several. The file is read as
it is on disk and never changed.

examples:
  midline complete app.py:12:5
  midline complete src/main.rs:40:17 --samples 8 --temperature 0.6
  midline complete app.py:12:5 --json
"""

import argparse
import re
from pathlib import Path

from midline.model.completion.fim import Cursor, WindowLimits
from midline.model.errors import UsageError
from midline.server.cli.generation_arguments import (
    add_generation_arguments,
    cancelled_by_ctrl_c,
    generate_options,
    load_engine,
)
from midline.server.cli.generation_output import json_line, plain_text, report_speed, write_text
from midline.server.cli.text_files import read_text_file
from midline.server.documents import Document

_PLACE = re.compile(r"(?P<file>.+):(?P<line>\d+):(?P<column>\d+)", re.DOTALL)
_MAX_DIGITS = 18
_MAX_TOKENS = 256


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the position and the generation options."""
    parser.add_argument("place", metavar="FILE:LINE:COL", help="where to complete")
    add_generation_arguments(parser, _MAX_TOKENS)


def run(args: argparse.Namespace) -> int:
    """Print the completions at the position."""
    options, limits = generate_options(args), WindowLimits()
    cursor = read_cursor(args.place, limits)
    engine = load_engine(args)
    from midline.model.completion.complete import complete

    with cancelled_by_ctrl_c() as cancel:
        result = complete(engine, cursor, options, limits=limits, cancel=cancel)
        if args.json:
            write_text(json_line(engine.name, engine.sparsity(options), result))
        else:
            write_text(plain_text(result))
        if args.verbose:
            report_speed(engine, result)
    return 0


def read_cursor(place: str, limits: WindowLimits) -> Cursor:
    """The text around FILE:LINE:COL; UsageError if the file has no such position."""
    match = _PLACE.fullmatch(place)
    if match is None:
        raise UsageError(f"{place!r:.200} is not of the form FILE:LINE:COL, as in app.py:12:5")
    line, column = (_number(match[name]) for name in ("line", "column"))
    path = Path(match["file"])
    document = Document(path.absolute().as_uri(), _read(path))
    lines = len(document.line_starts)
    if not 1 <= line <= lines:
        raise UsageError(f"{path} has no line {match['line']:.20}: its lines are 1 to {lines}")
    width = len(document.line(line - 1))
    if not 1 <= column <= width + 1:
        raise UsageError(
            f"line {line} of {path} has no column {match['column']:.20}: "
            f"its columns are 1 to {width + 1}"
        )
    return document.cursor(document.line_starts[line - 1] + column - 1, limits)


def _number(digits: str) -> int:
    """The number, or one that is as far beyond every line where it has too many digits."""
    return int(digits) if len(digits) <= _MAX_DIGITS else 10**_MAX_DIGITS


def _read(path: Path) -> str:
    text = read_text_file(path)
    if "\0" in text:
        raise UsageError(f"{path} is not a text in UTF-8 (it has zero bytes); convert it first")
    return text
