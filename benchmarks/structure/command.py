"""Print numbers of the source tree and of the way of a keystroke through it.

They have no target: compared before and after a change of structure, they tell whether it made
things simpler.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from midline.benchmarks.structure import tree
from midline.benchmarks.structure.keystroke import trace_keystroke
from midline.model.catalog.catalog import resolve
from midline.model.errors import UsageError

HERE = Path(__file__).resolve().parents[2]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the tree, the model of the keystroke and the form of the answer."""
    parser.add_argument(
        "--root", type=Path, default=HERE, metavar="DIR", help="measure another checkout"
    )
    parser.add_argument(
        "--python",
        default=sys.executable,
        metavar="PROGRAM",
        help="the interpreter in which that checkout is installed",
    )
    parser.add_argument(
        "--model", default="smollm2-135m", help="model of the traced keystroke (smollm2-135m)"
    )
    parser.add_argument("--no-keystroke", action="store_true", help="measure the files only")
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the numbers; UsageError where there is no checkout."""
    root = args.root.resolve()
    if not (root / "pyproject.toml").is_file():
        raise UsageError(f"{root} is no checkout of Midline; name one with --root DIR")
    found = measure(root)
    if not args.no_keystroke:
        found["keystroke"] = trace_keystroke(root, str(resolve(args.model)), args.python)
    print(json.dumps(found, indent=1) if args.json else "\n".join(lines(found)))
    return 0


def measure(root: Path) -> dict[str, Any]:
    """Numbers of the files below `root`."""
    return {
        "files_by_folder": tree.files_by_folder(root),
        "parameters_over_7": tree.long_signatures(root),
        "methods_over_15": tree.large_classes(root),
        "module_state": tree.module_state(root),
        "cpp_lines_over_120": tree.long_cpp_lines(root),
        "repetitions_of_6_lines": tree.repetitions(root),
    }


def lines(found: dict[str, Any]) -> list[str]:
    """The numbers as printed: a count, then what was counted."""
    printed = []
    for name, value in found.items():
        if isinstance(value, dict):
            printed += [f"{name}:", *(f"  {count:>5}  {key}" for key, count in value.items())]
        elif isinstance(value, list):
            printed += [f"{name}: {len(value)}", *(f"  {entry}" for entry in value)]
        else:
            printed.append(f"{name}: {value}")
    return printed
