"""Execute the MBXP problems in thirteen languages, isolated, and report pass@k.

`fetch` gets the problems, `run` completes them with a model, `evaluate` executes completions,
`report` sums up and compares, `doctor` says which languages can be evaluated here.
"""

import argparse
import importlib

ACTIONS = {
    "fetch": "get the problems, verified",
    "run": "complete the problems with a model and evaluate the completions",
    "evaluate": "execute the completions of a JSONL file",
    "report": "table, JSON and plot of one or two result folders",
    "doctor": "which languages can be evaluated here, and what is missing",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one subparser per action; each lives in `midline.benchmarks.mbxp.actions`."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, text in ACTIONS.items():
        module = importlib.import_module(f"midline.benchmarks.mbxp.actions.{name}")
        action = actions.add_parser(name, help=text, description=module.__doc__)
        module.add_arguments(action)
        action.set_defaults(act=module.run)


def run(args: argparse.Namespace) -> int:
    """Run the chosen action; 0 done, 1 something failed."""
    status: int = args.act(args)
    return status
