"""Options of a generation: how tokens are sampled, and what an engine offers beyond that.

`SamplingOptions` hold for every engine. Options of one kind of engine are a subclass of
`EngineOptions` and travel in `SamplingOptions.engine`, so that whoever passes options on need not
know which engine they are for; an engine ignores options of another kind.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from midline.model.errors import UsageError

MAX_SAMPLES = 64
"""Samples of one prompt that an engine has to be able to draw."""
SAMPLING_TEMPERATURE = 0.4
"""Temperature of several samples where none was chosen; at 0 all samples would be the same."""
Draft = Literal["lookup", "self", "both", "none"]
DRAFTS: tuple[Draft, ...] = ("lookup", "self", "both", "none")
O = TypeVar("O", bound="EngineOptions")  # noqa: E741 - the usual name of a type variable of options


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """Base of the options of one kind of engine."""

    def check(self) -> None:
        """Raises UsageError naming the first value that is out of range."""


@dataclass(frozen=True, slots=True)
class SamplingOptions:
    """How tokens are sampled from the model's distribution.

    samples: completions of each prompt, numbered from 0. max_tokens: most tokens of a completion,
    those that repeat `Request.align` included. temperature: 0 is greedy decoding. top_p: nucleus
    sampling (arXiv 1904.09751), 1 switches it off. min_p: smallest probability of a token relative
    to the likeliest one (arXiv 2407.01082), 0 switches it off. seed: random numbers depend on the
    seed, the sample's number and the token's position in the completion, and on nothing else.
    greedy_first: sample 0 is decoded greedily whatever the temperature. max_repeats: a completion
    that ends with the same cycle of at most 32 tokens this many times ends there; 0 lets it go on.
    engine: options of one kind of engine, or None for its defaults.
    """

    samples: int = 1
    max_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    min_p: float = 0.0
    seed: int = 0
    greedy_first: bool = False
    max_repeats: int = 0
    engine: EngineOptions | None = None

    @classmethod
    def chosen(
        cls,
        samples: int,
        temperature: float | None,
        greedy_first: bool | None = None,
        **others: Any,
    ) -> "SamplingOptions":
        """Options in which None stands for the default.

        Without a temperature one sample is greedy; several are drawn at SAMPLING_TEMPERATURE, and
        the first of them is greedy unless `greedy_first` says otherwise.
        """
        default = SAMPLING_TEMPERATURE if samples > 1 else 0.0
        return cls(
            samples=samples,
            temperature=default if temperature is None else temperature,
            greedy_first=temperature is None if greedy_first is None else greedy_first,
            **others,
        )

    def of_engine(self, kind: type[O]) -> O:
        """The engine's own options, or their defaults where none of this kind were given."""
        return self.engine if isinstance(self.engine, kind) else kind()

    def check(self) -> None:
        """Raises UsageError naming the first value that is out of range, the engine's included."""
        if not 1 <= self.samples <= MAX_SAMPLES:
            raise _out_of_range("samples", self.samples, f"between 1 and {MAX_SAMPLES}")
        if self.max_tokens < 1:
            raise _out_of_range("max_tokens", self.max_tokens, "at least 1")
        if not (math.isfinite(self.temperature) and 0 <= self.temperature <= 100):
            raise _out_of_range("temperature", self.temperature, "between 0 and 100")
        if not 0 < self.top_p <= 1:
            raise _out_of_range("top_p", self.top_p, "above 0 and at most 1")
        if not 0 <= self.min_p <= 1:
            raise _out_of_range("min_p", self.min_p, "between 0 and 1")
        if not 0 <= self.seed < 2**63:
            raise _out_of_range("seed", self.seed, "a number from 0 to 2^63 - 1")
        if self.max_repeats != 0 and self.max_repeats < 2:
            raise _out_of_range("max_repeats", self.max_repeats, "0 or at least 2")
        if self.engine is not None:
            self.engine.check()


@dataclass(frozen=True, slots=True)
class NativeOptions(EngineOptions):
    """Options of the native engine.

    exact: compute the whole output matrix in greedy decoding too, where a screened one (an
    approximation of all logits, exact values for the best candidates) would do; random sampling is
    always exact.
    sparsity: share of the weights that decoding skips (TEAL, arXiv 2408.14690), for the first
    sample of a prompt alone: several samples of one prompt are decoded densely, since together they
    need all weights. None is the model's own level where that sample is greedy, and 0 where it is
    drawn at random.
    draft: who proposes tokens for speculative decoding of one greedy completion: prompt lookup
    ("lookup"), the model itself made sparse ("self", only where decoding is dense), "both", or
    "none"; None is the model's own choice. Drafts are verified, so they change no token: exactly
    with `exact`, and otherwise wherever the screen does not miss the likeliest token. "self" alone
    always drafts, the others only where a draft is expected to pay.
    alignment: how token healing generates the bytes of `Request.align`: "tree" weighs all their
    tokenizations (arXiv 2506.14123), "tokens" draws token by token among those that agree with them
    (arXiv 2403.08688).
    """

    exact: bool = False
    sparsity: float | None = 0.0
    draft: Draft | None = None
    alignment: Literal["tokens", "tree"] = "tree"

    def check(self) -> None:
        """See `EngineOptions`."""
        if self.draft is not None and self.draft not in DRAFTS:
            raise _out_of_range("draft", self.draft, "lookup, self, both or none")
        if self.alignment not in ("tokens", "tree"):
            raise _out_of_range("alignment", self.alignment, "tokens or tree")
        from midline.model.teal.profile import check_level  # NumPy is needed for nothing else here

        check_level(self.sparsity or 0.0)


def _out_of_range(name: str, value: object, allowed: str) -> UsageError:
    return UsageError(f"{name} is {value}, it must be {allowed}")
