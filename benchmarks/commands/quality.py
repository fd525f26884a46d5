"""Measure the quality of models, tokenizer and completions, one measurement at a time.

`midline-bench quality MEASUREMENT --help` explains the arguments of one.
"""

import argparse
import importlib
import importlib.util
from types import ModuleType

from midline.model.errors import UsageError
from midline.server.cli.command_line import Parser

MEASUREMENTS = {
    "logits": "the model's probabilities against a float32 reference",
    "tokenizer": "token ids against llama.cpp and transformers",
    "screen": "the screened output matrix against the whole one",
    "cursor": "completions at marked cursors of small projects, against what belongs there",
    "ranking": "which of several samples to show first, judged by execution",
    "fuzz": "completions at random places of real files: exceptions, empty answers, broken syntax",
    "infilling": "HumanEval-Infilling, completed at a cursor and executed",
    "typing": "what is on the screen while a person types real lines",
    "alignment": "completions that start inside a token",
    "sparsity": "activation sparsity against perplexity",
    "quantization": "forms of quantization against each other",
}


def _module_name(measurement: str) -> str:
    return f"midline.benchmarks.quality.{measurement}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add one subparser per measurement; the measurement's module is imported when it is run."""
    parser.add_argument(
        "measurement",
        metavar="MEASUREMENT",
        choices=list(MEASUREMENTS),
        help="; ".join(f"{name}: {text}" for name, text in MEASUREMENTS.items()),
    )
    parser.add_argument("rest", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Parse the measurement's own arguments and run it; UsageError when it is not in this build."""
    status: int = _module(args.measurement).run(parsed(args))
    return status


def parsed(args: argparse.Namespace) -> argparse.Namespace:
    """The measurement's own arguments."""
    parser = Parser(
        prog=f"midline-bench quality {args.measurement}",
        description=MEASUREMENTS[args.measurement].capitalize(),
        allow_abbrev=False,
    )
    _module(args.measurement).add_arguments(parser)
    return parser.parse_args(args.rest)


def _module(measurement: str) -> ModuleType:
    name = _module_name(measurement)
    if importlib.util.find_spec(name) is None:
        raise UsageError(
            f"quality {measurement} comes with a later version; "
            f"available now: {', '.join(available())}"
        )
    return importlib.import_module(name)


def available() -> list[str]:
    """Measurements whose module is part of this build."""
    return [name for name in MEASUREMENTS if importlib.util.find_spec(_module_name(name))]
