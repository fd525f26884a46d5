"""What a request comes to: samples of a prompt, and what they cost."""

from dataclasses import dataclass


@dataclass(slots=True)
class Completion:
    """One sample. mean_logprob is natural, of the unmodified distribution, over the drawn tokens
    that write more than bytes given back by `align`.
    """

    ids: list[int]
    text: str
    mean_logprob: float
    score: float
    finish_reason: str


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds and rates of one request; decode counts all samples' tokens together."""

    load_ms: float
    prefill_ms: float
    decode_ms: float
    prefill_tokens_per_second: float
    decode_tokens_per_second: float


@dataclass(slots=True)
class Generation:
    """All samples of one prompt in the order of their numbers; tokens guessed ahead, and right.

    `passes` counts the steps behind the prompts, whatever their rows and without those of a draft.
    """

    completions: list[Completion]
    prompt_tokens: int
    cached_tokens: int
    timings: Timings
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    passes: int = 0
