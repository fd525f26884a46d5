"""Prefill speed: a prompt from an empty KV cache to the logits of its last token."""

import argparse

from midline.benchmarks.speed import comparison, flags
from midline.benchmarks.speed.workload import Workload, prompt_ids
from midline.model.tokenizer.tokenizer import Tokenizer


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the peer and the length of the prompt."""
    common = ("peer", "isa", "exact", "plot")
    flags.add(parser, *common, engine="native", tokens=512, sparsity=0, runs=flags.RUNS)


def run(args: argparse.Namespace) -> int:
    """Time the prompt on Midline and its peer by turns."""
    return comparison.run("prefill", args, lambda tokenizer: workload(tokenizer, args.tokens))


def workload(tokenizer: Tokenizer, tokens: int) -> Workload:
    """A prompt of `tokens` tokens."""
    return Workload(
        benchmark="prefill",
        tokens=tokens,
        context=0,
        samples=1,
        method="prefill",
        arguments={"prompt": prompt_ids(tokenizer, tokens)},
        timed_tokens=tokens,
        passes=1,
        output_rows=1,
    )
