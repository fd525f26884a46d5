"""Samples: several continuations of one shared prompt, decoded together."""

from midline.benchmarks.speed.workload import Workload, prompt_ids
from midline.model.tokenizer.tokenizer import Tokenizer

DEFAULT_TOKENS = 32
DEFAULT_CONTEXT = 1024
DEFAULT_SAMPLES = 16


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
