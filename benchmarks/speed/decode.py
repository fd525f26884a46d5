"""Decode: one token after another, behind a filled context; several sequences side by side."""

from midline.benchmarks.speed.workload import Workload, prompt_ids
from midline.model.tokenizer.tokenizer import Tokenizer

DEFAULT_TOKENS = 64
DEFAULT_CONTEXT = 512
DEFAULT_SAMPLES = 1


def workload(tokenizer: Tokenizer, tokens: int, context: int, samples: int) -> Workload:
    """`samples` sequences, each behind a context of its own, decoded together."""
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
