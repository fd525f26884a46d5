"""Prefill: a prompt from an empty cache to the logits of its last token."""

from midline.benchmarks.speed.workload import Workload, prompt_ids
from midline.model.tokenizer.tokenizer import Tokenizer

DEFAULT_TOKENS = 512
DEFAULT_CONTEXT = 0
DEFAULT_SAMPLES = 1


def workload(tokenizer: Tokenizer, tokens: int, context: int, samples: int) -> Workload:
    """A prompt of `tokens` tokens; context and samples have no meaning here."""
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
