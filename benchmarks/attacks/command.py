"""Run the attacks of `tests/attack` at their full size, and record what held.

Attacks that are not run now keep their rows in the file of --json, so that they can be run one by
one: the soak takes as long as it is told to, the others minutes.

examples:
  midline-bench attacks                                    all of them, with a soak of ten minutes
  midline-bench attacks fuzz-lsp kills --json FILE             some
  midline-bench attacks soak --minutes 120 --json FILE     a longer soak
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.outputs import output_file
from midline.model.errors import MidlineError, UsageError

ROOT = Path(__file__).resolve().parents[2]
ROWS_VARIABLE, MINUTES_VARIABLE = "MIDLINE_ATTACK_ROWS", "MIDLINE_SOAK_MINUTES"
"""What the tests are told by: the file for their rows, and how long a soak takes."""
ATTACKS = {
    "fuzz-lsp": ["protocol/test_fuzz.py"],
    "fuzz-http": ["protocol/test_http_fuzz.py"],
    "kills": ["kills"],
    "storm": ["storm"],
    "soak": ["soak"],
}
Row = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the attacks, the length of the soak and the file of the rows."""
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(ATTACKS))
    parser.add_argument(
        "--minutes", type=float, default=10.0, metavar="N", help="length of the soak (10)"
    )
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the rows there")


def run(args: argparse.Namespace) -> int:
    """Run the attacks; MidlineError if one got through, UsageError for an unknown name."""
    for name in args.names:
        if name not in ATTACKS:
            raise UsageError(f"there is no attack {name!r:.40}; there is {', '.join(ATTACKS)}")
    folder = ROOT / "tests" / "attack"
    if not folder.is_dir():
        raise UsageError("the attacks are part of the repository; run this in a clone of it")
    paths = [folder / path for name in args.names or ATTACKS for path in ATTACKS[name]]
    rows, status = _rows(paths, args.minutes)
    if args.json:
        write(args.json, rows)
    if status:
        raise MidlineError("an attack got through, or could not be run; pytest has said which")
    return 0


def _rows(paths: list[Path], minutes: float) -> tuple[list[Row], int]:
    """The rows of the tests, and the exit status of pytest."""
    with tempfile.TemporaryDirectory() as folder:
        rows = Path(folder) / "rows.json"
        environment = {ROWS_VARIABLE: str(rows), MINUTES_VARIABLE: str(minutes)}
        done = subprocess.run(
            [sys.executable, "-P", "-m", "pytest", "-q", "-m", "attack", *map(str, paths)],
            cwd=ROOT,
            env={**os.environ, **environment},
            check=False,
        )
        found = json.loads(rows.read_text("utf-8")) if rows.exists() else []
    return found, done.returncode


def write(path: Path, rows: list[Row]) -> None:
    """Put rows into a result file, in place of those of the same attacks."""
    before = json.loads(path.read_text("utf-8")) if path.exists() and path.stat().st_size else {}
    command = shlex.join(["midline-bench", *sys.argv[1:]])
    new = {row["attack"]: {**row, "command": command} for row in rows}
    kept = [row for row in before.get("rows", []) if row["attack"] not in new]
    result = {
        "benchmark": "attacks",
        "machine": describe_machine(),
        "versions": describe_versions(),
        "rows": [*kept, *new.values()],
    }
    path.write_text(json.dumps(result, indent=1) + "\n")
