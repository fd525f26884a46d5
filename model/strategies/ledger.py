"""The ledger of an answer: every model call and every executed program, with what it cost.

Floating-point operations are counted as 2 N (p + g) + 4 L d S: N is the number of weights that a
token is multiplied with (the embedding is only looked up), p the prompt tokens that were computed,
g the generated tokens, L the layers, d the width of all query heads, and S the sum over computed
tokens of how many tokens each attends to. Tokens that were in the prefix cache cost nothing.
"""

import resource
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from midline.model.engines.base import Engine
from midline.model.weights.config import ModelConfig


@dataclass(frozen=True)
class Call:
    """One request to one model.

    role: what it was for, such as "answer" or "tests". prompt_tokens: length of the prompt, of
    which cached_tokens were in the prefix cache. generated: tokens of each completion; all of them
    read the prompt once. seconds: on the clock. flops: by the formula of the module, 0 where the
    engine does not tell its sizes. drafted: whether earlier answers were drafts of this one; rows
    of rejected drafts are no generated tokens.
    """

    model: str
    role: str
    prompt_tokens: int
    cached_tokens: int
    generated: tuple[int, ...]
    seconds: float
    flops: float = 0.0
    drafted: bool = False

    @property
    def new_tokens(self) -> int:
        """Prompt tokens that were computed."""
        return self.prompt_tokens - self.cached_tokens

    @property
    def tokens(self) -> int:
        """Tokens in and out, cached ones included: what a budget of tokens counts."""
        return self.prompt_tokens + sum(self.generated)


@dataclass
class Ledger:
    """The calls and executions of one answer, in their order."""

    calls: list[Call] = field(default_factory=list)
    programs: int = 0
    program_seconds: float = 0.0
    seconds: float = 0.0
    """On the clock, from the question to the answer."""
    peak_bytes: int = 0
    """The process's greatest resident memory up to the answer, both models included."""

    @property
    def tokens(self) -> int:
        """Tokens in and out of all calls."""
        return sum(call.tokens for call in self.calls)

    @property
    def generated_tokens(self) -> int:
        """Tokens that were generated."""
        return sum(sum(call.generated) for call in self.calls)

    @property
    def flops(self) -> float:
        """Floating-point operations of all calls."""
        return sum(call.flops for call in self.calls)

    def executed(self, programs: int, seconds: float) -> None:
        """Add executions that took `seconds` together."""
        self.programs += programs
        self.program_seconds += seconds

    def as_dict(self) -> dict[str, Any]:
        """The ledger as JSON, sums first."""
        sums = {
            "tokens": self.tokens,
            "generated_tokens": self.generated_tokens,
            "flops": self.flops,
            "seconds": round(self.seconds, 4),
            "programs": self.programs,
            "program_seconds": round(self.program_seconds, 4),
            "peak_bytes": self.peak_bytes,
        }
        return sums | {"calls": [asdict(call) for call in self.calls]}

    @classmethod
    def from_dict(cls, row: dict[str, Any]) -> "Ledger":
        """The ledger that `as_dict` wrote."""
        calls = [Call(**{**call, "generated": tuple(call["generated"])}) for call in row["calls"]]
        return cls(
            calls, row["programs"], row["program_seconds"], row["seconds"], row["peak_bytes"]
        )

    def table(self) -> list[str]:
        """The ledger as lines of text: the calls, then their sum."""
        lines = [
            f"{'model':<22}{'for':<12}{'prompt':>7}{'cached':>7}{'written':>9}{'s':>8}{'GFLOP':>9}"
        ]
        for call in self.calls:
            written = f"{len(call.generated)}x{sum(call.generated)}"
            lines.append(
                f"{call.model:<22.22}{call.role:<12.12}{call.prompt_tokens:>7}"
                f"{call.cached_tokens:>7}{written:>9}{call.seconds:>8.2f}{call.flops / 1e9:>9.0f}"
            )
        lines.append(
            f"{self.tokens} tokens in and out, {self.generated_tokens} of them written, "
            f"{self.seconds:.2f} s, {self.flops / 1e9:.0f} GFLOP, {self.programs} programs in "
            f"{self.program_seconds:.2f} s, {self.peak_bytes / 2**20:.0f} MiB at most"
        )
        return lines


def flops_of(engine: Engine, prompt: int, cached: int, generated: Sequence[int]) -> float:
    """Floating-point operations of one call, as the module counts them; 0 if sizes are unknown."""
    config = getattr(engine, "config", None)
    if not isinstance(config, ModelConfig):
        return 0.0
    tokens = prompt - cached + sum(generated)
    attended = _sum_up_to(prompt) - _sum_up_to(cached)
    attended += sum(prompt * n + _sum_up_to(n) for n in generated)
    width = config.heads * config.head_dim
    return 2.0 * active_weights(config) * tokens + 4.0 * config.layers * width * attended


def active_weights(config: ModelConfig) -> int:
    """Weights that each token is multiplied with: all matrices but the embedding."""
    heads, kv = config.heads * config.head_dim, config.kv_heads * config.head_dim
    attention = config.width * (heads + 2 * kv) + heads * config.width
    return config.layers * (attention + 3 * config.width * config.hidden) + (
        config.width * config.vocab
    )


def peak_memory() -> int:
    """Greatest resident memory of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _sum_up_to(n: int) -> int:
    return n * (n + 1) // 2
