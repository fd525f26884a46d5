"""Keystrokes: a prompt that grows by a token, and a short completion after each."""

from midline.benchmarks.speed.workload import Workload, prompt_ids
from midline.model.tokenizer import Tokenizer

DEFAULT_TOKENS = 8
DEFAULT_CONTEXT = 1024
DEFAULT_SAMPLES = 1
KEYSTROKES = 8


def workload(tokenizer: Tokenizer, tokens: int, context: int, samples: int) -> Workload:
    """`KEYSTROKES` typed tokens behind `context`; `tokens` greedy ones after each are forgotten."""
    ids = prompt_ids(tokenizer, context + KEYSTROKES)
    return Workload(
        benchmark="keystroke",
        tokens=tokens,
        context=context,
        samples=1,
        method="keystrokes",
        arguments={"prompt": ids[:context], "typed": ids[context:], "tokens": tokens},
        timed_tokens=KEYSTROKES * tokens,
        passes=KEYSTROKES * tokens,
        output_rows=KEYSTROKES * tokens,
    )
