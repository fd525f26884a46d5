"""Decode speed: one token after the other after a filled context, for one or more sequences."""

import argparse

from midline.benchmarks.speed import comparison, flags
from midline.benchmarks.speed.workload import Workload, prompt_ids
from midline.model.tokenizer.tokenizer import Tokenizer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the peer and the shape of the work."""
    shape = {"tokens": 64, "context": 512, "samples": 1}
    flags.add(
        parser,
        "peer",
        "isa",
        "exact",
        "plot",
        engine="native",
        sparsity=0,
        runs=flags.RUNS,
        **shape,
    )


def run(args: argparse.Namespace) -> int:
    """Time `--tokens` steps after the context on Midline and its peer by turns."""
    shape = (args.tokens, args.context, args.samples)
    return comparison.run("decode", args, lambda tokenizer: workload(tokenizer, *shape))


def workload(tokenizer: Tokenizer, tokens: int, context: int, samples: int) -> Workload:
    """`samples` sequences, each with a context of its own, decoded together."""
    prompts = [prompt_ids(tokenizer, context, rotation) for rotation in range(samples)]
    return Workload(
        benchmark="decode",
        tokens=tokens,
        context=context,
        samples=samples,
        method="decode",
        arguments={"prompts": prompts, "tokens": tokens},
        timed_tokens=samples * tokens,
        passes=tokens,
        output_rows=samples * tokens,
    )
