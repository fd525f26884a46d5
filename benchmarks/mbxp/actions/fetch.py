"""Get the thirteen files of problems at their pinned hashes."""

import argparse
import sys
from pathlib import Path

from midline.benchmarks.mbxp.fetch import fetch
from midline.benchmarks.mbxp.tasks import default_data_folder


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where from and where to."""
    parser.add_argument("--to", type=Path, metavar="DIR", help="folder (default: in the cache)")
    parser.add_argument(
        "--from",
        type=Path,
        dest="origin",
        metavar="DIR",
        help="copy from DIR instead of downloading",
    )


def run(args: argparse.Namespace) -> int:
    """Fetch what is missing or altered."""
    target = args.to or default_data_folder()
    fetched = fetch(target, args.origin, report=lambda line: print(line, file=sys.stderr))
    print(f"{target}: complete ({fetched} files fetched)")
    return 0
