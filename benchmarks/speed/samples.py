"""Decode speed of several samples of one shared prompt (bifurcated attention)."""

import argparse

from midline.benchmarks.speed import comparison, flags
from midline.benchmarks.speed.workload import Workload, prompt_ids
from midline.model.tokenizer.tokenizer import Tokenizer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the peer and the shape of the work."""
    shape = {"tokens": 32, "context": 1024, "samples": 16}
    flags.add(parser, "peer", "isa", "exact", "plot", sparsity=0, runs=flags.RUNS, **shape)


def run(args: argparse.Namespace) -> int:
    """Time the samples on Midline and its peer by turns."""
    shape = (args.tokens, args.context, args.samples)
    return comparison.run("samples", args, lambda tokenizer: workload(tokenizer, *shape))


def workload(tokenizer: Tokenizer, tokens: int, context: int, samples: int) -> Workload:
    """`samples` continuations that differ from their first token on."""
    return Workload(
        benchmark="samples",
        tokens=tokens,
        context=context,
        samples=samples,
        method="samples",
        arguments={
            "prompt": prompt_ids(tokenizer, context),
            "samples": samples,
            "tokens": tokens,
        },
        timed_tokens=samples * tokens,
        passes=tokens,
        output_rows=samples * tokens,
    )
