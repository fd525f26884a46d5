"""The workload of one speed measurement: an engine call and how its time is counted."""

from dataclasses import dataclass, field
from typing import Any

from midline.benchmarks.quality.prompts import load_prompts
from midline.model.tokenizer.base import TokenizerBase


@dataclass(frozen=True)
class Workload:
    """One engine call: its method and arguments, and the work done in its timed part.

    `tokens`, `context` and `samples` are recorded as the contract names them. `timed_tokens` are
    the tokens whose speed is meant, `passes` how often all weights are read at least, and
    `output_rows` the rows of logits.
    """

    benchmark: str
    tokens: int
    context: int
    samples: int
    method: str
    arguments: dict[str, Any] = field(repr=False)
    timed_tokens: int
    passes: int
    output_rows: int

    @property
    def cache_tokens(self) -> int:
        """Room of key-value cache that any layout of the workload fits in."""
        return (self.context + self.tokens + 64) * (self.samples + 1) + 512


def prompt_ids(tokenizer: TokenizerBase, count: int, rotation: int = 0) -> list[int]:
    """`count` token ids of real code, beginning at another place for every `rotation`."""
    ids = tokenizer.encode("\n".join(prompt.text for prompt in load_prompts()))
    start = rotation * 97 % len(ids)
    repeats = -(-(start + count) // len(ids))
    return (ids * repeats)[start : start + count]
