"""What a request asks for and comes to: prompts, samples of each, and what they cost."""

import math
from collections.abc import Callable
from collections.abc import Sequence as Ids
from dataclasses import dataclass
from typing import Literal

from midline.model.errors import UsageError
from midline.model.teal.profile import check_level

MAX_SAMPLES = 64
SAMPLING_TEMPERATURE = 0.4
"""Used for several samples when no temperature is given: without it all would be the same."""
Draft = Literal["lookup", "self", "both", "none"]
DRAFTS: tuple[Draft, ...] = ("lookup", "self", "both", "none")
Stop = Callable[[int, list[int]], bool]
OnToken = Callable[[int, int], None]
OnDone = Callable[[int, "Generation"], None]


@dataclass(frozen=True, slots=True)
class GenerateOptions:
    """How to draw: temperature 0 is greedy; top_p 1 and min_p 0 switch those filters off.

    exact computes the whole output matrix where greedy decoding would screen it; random draws never
    do. sparsity is the share of weights skipped in decoding one sample of a prompt, whatever other
    prompts are decoded beside it; several samples are dense, since together they need all weights.
    None is the model's own share where that sample is greedy; drawn at random it is dense, too, and
    so the one that it is among several.
    draft says who guesses tokens ahead where one prompt is decoded greedily to one sample: lookup
    in the text, the model itself, sparse, where decoding is not sparse anyway, or both, each where
    it promises to pay; "self" alone always does. None is the model's own `Policy`. The
    output is that of drawing one by one: to the bit with exact; without, wherever the screen, which
    passes of several rows do not need, does not miss the likeliest token, and log-probabilities are
    nearer the exact ones. alignment says how the bytes given back by `align` are written again:
    token by token among those that agree, or by whole ways of writing them (`covering_tree`).

    With greedy_first sample 0 is greedy whatever the temperature. max_repeats ends a sample whose
    last tokens are the same cycle that many times over (`repetition`); 0 lets it go on.
    """

    samples: int = 1
    max_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = 0
    exact: bool = False
    sparsity: float | None = 0.0
    draft: Draft | None = None
    alignment: Literal["tokens", "tree"] = "tree"
    greedy_first: bool = False
    max_repeats: int = 0

    def check(self) -> None:
        """Raises UsageError naming the first value that is out of range."""
        in_range = {
            "samples": 1 <= self.samples <= MAX_SAMPLES,
            "max_tokens": self.max_tokens >= 1,
            "temperature": math.isfinite(self.temperature) and 0 <= self.temperature <= 100,
            "top_p": 0 < self.top_p <= 1,
            "min_p": 0 <= self.min_p <= 1,
            "seed": 0 <= self.seed < 2**63,
            "draft": self.draft is None or self.draft in DRAFTS,
            "alignment": self.alignment in ("tokens", "tree"),
            "max_repeats": self.max_repeats == 0 or self.max_repeats > 1,
        }
        limits = {
            "samples": f"between 1 and {MAX_SAMPLES}",
            "max_tokens": "at least 1",
            "temperature": "between 0 and 100",
            "top_p": "above 0 and at most 1",
            "min_p": "between 0 and 1",
            "seed": "a number from 0 to 2^63 - 1",
            "draft": "lookup, self, both or none",
            "alignment": "tokens or tree",
            "max_repeats": "0 or at least 2",
        }
        for name, ok in in_range.items():
            if not ok:
                raise UsageError(f"{name} is {getattr(self, name)}, it must be {limits[name]}")
        check_level(self.sparsity or 0.0)


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


@dataclass(frozen=True)
class Batch:
    """Prompts that are completed together, and what each has of its own.

    aligns: the bytes given back, none if left out; stops: one for each prompt, none if left out;
    seeds: instead of the options'. At most `streams` are stepped together, at least those of one
    prompt: the other prompts begin when there is room, and on_done(number, generation) hears of
    each that is finished, whose `timings` are those of all until then.
    """

    prompts: Ids[Ids[int]]
    aligns: Ids[bytes] = ()
    stops: Ids[Stop] = ()
    seeds: Ids[int] = ()
    streams: int | None = None
    on_done: OnDone | None = None
