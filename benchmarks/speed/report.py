"""The output of every speed measurement: printed lines, JSON and plot."""

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions

Result = dict[str, Any]


def report(
    benchmark: str,
    args: argparse.Namespace,
    found: Result,
    lines: Callable[[Result], list[str]],
    draw: Callable[[Result, Path], None] | None = None,
) -> int:
    """Print `found` as `lines` says, write --json and, by `draw`, --plot; exit status 0.

    Model, command, machine and versions are recorded beside what was found.
    """
    result = {
        "benchmark": benchmark,
        "model": args.model,
        "requantized": args.requantize,
        "command": shlex.join(["midline-bench", *sys.argv[1:]]),
        "machine": describe_machine(),
        **found,
        "versions": {**describe_versions(), **found["versions"]},
    }
    print("\n".join(lines(result)))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    if draw is not None and args.plot:
        draw(result, args.plot)
    return 0
