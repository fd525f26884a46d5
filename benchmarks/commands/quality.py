"""`midline-bench quality MEASUREMENT`: dispatches to one module of `midline.benchmarks.quality`."""

import argparse
import importlib
import importlib.util

from midline.model.errors import UsageError

MEASUREMENTS = {
    "logits": "the model's probabilities against a float32 reference",
    "tokenizer": "token ids against llama.cpp and transformers",
    "screen": "the screened output matrix against the whole one",
    "cursor": "completions at marked cursors of small projects, against what belongs there",
    "ranking": "which of several samples to show first, judged by execution",
    "fuzz": "completions at random places of real files: exceptions, empty answers, broken syntax",
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
    name = _module_name(args.measurement)
    if importlib.util.find_spec(name) is None:
        raise UsageError(
            f"quality {args.measurement} comes with a later version; "
            f"available now: {', '.join(available())}"
        )
    module = importlib.import_module(name)
    parser = argparse.ArgumentParser(
        prog=f"midline-bench quality {args.measurement}",
        description=MEASUREMENTS[args.measurement].capitalize(),
    )
    module.add_arguments(parser)
    status: int = module.run(parser.parse_args(args.rest))
    return status


def available() -> list[str]:
    """Measurements whose module is part of this build."""
    return [name for name in MEASUREMENTS if importlib.util.find_spec(_module_name(name))]
