"""Show the sandboxes and languages that work here, and how to install the others."""

import argparse
import json

from midline.benchmarks.mbxp.doctor import diagnose, render


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The form of the answer."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(args: argparse.Namespace) -> int:
    """Print the state; missing languages are not an error."""
    state = diagnose()
    print(json.dumps(state, indent=2) if args.json else render(state))
    return 0
