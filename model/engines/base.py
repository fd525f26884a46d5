"""The interface of an engine, which runs a language model.

Completion, ranking, the server and the benchmarks know engines by this file alone. An
implementation subclasses `Engine`, is named in `model/engines/load.py`, and runs through the suite
in `tests/unit/model/engines/test_conformance.py`.

Prompts and completions are ids of `Engine.tokenizer`. An engine whose model takes text, such as a
remote one, still has a tokenizer here, if need be one that maps each byte to a token of its own; it
gets the text of a prompt from `Engine.prompt_bytes` and encodes the answer.

Who owns what is mutable:

- An engine owns its weights, its prefix cache and its estimates of its own speed. It runs one call
  at a time: calls from several threads wait for each other.
- A request, its options and its results belong to the caller. Nothing of a request outlives its
  call but the tokens in the prefix cache.
- Callbacks run in the thread of the call and must not call the engine; only `Engine.breaks` may.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

from midline.model.cancellation import Cancellation, Cancelled
from midline.model.decoding.breaks import Breaks
from midline.model.decoding.options import (
    MAX_SAMPLES,
    SAMPLING_TEMPERATURE,
    EngineOptions,
    NativeOptions,
    SamplingOptions,
)
from midline.model.decoding.request import (
    Completion,
    DrawnToken,
    Generation,
    More,
    OnDone,
    OnToken,
    Request,
    Stop,
    Timings,
)
from midline.model.errors import MidlineError, UsageError
from midline.model.tokenizer.base import TokenizerBase

__all__ = [
    "MAX_SAMPLES", "SAMPLING_TEMPERATURE", "Breaks", "Cancellation", "Cancelled", "Capabilities",
    "Completion", "DrawnToken", "Engine", "EngineOptions", "Generation", "More", "NativeOptions",
    "OnDone", "OnToken", "Prefill", "Request", "SamplingOptions", "Stop", "Timings",
]  # fmt: skip

GREEDY = SamplingOptions()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine does beyond generating text.

    An engine without a capability still takes the arguments that belong to it and does the nearest
    thing, as told here.

    prefill: prompts stay in a prefix cache, and `Engine.prefill` fills it; without, that does
    nothing and no token is ever cached.
    token_healing: the bytes of `Request.align` are generated again in their likeliest tokenization;
    without, they are part of the prompt.
    streaming: `on_token` gets each token as it is drawn; without, all of them at the end.
    logprobs: log-probabilities are known; without, they are NaN, and means and scores are 0.
    sparsity: decoding can skip weights (`NativeOptions.sparsity`).
    resume: `Request.resume` continues from the prefix cache; without, the tokens are prefilled
    again.
    joining: requests may join a running batch, and have options and a cancellation of their own;
    without, such a batch raises UsageError.
    """

    prefill: bool = False
    token_healing: bool = False
    streaming: bool = False
    logprobs: bool = False
    sparsity: bool = False
    resume: bool = False
    joining: bool = False


@dataclass(frozen=True, slots=True)
class Prefill:
    """What a call of `Engine.prefill` did: of `prompt_tokens`, `cached_tokens` were in the prefix
    cache before and `computed_tokens` were added to it; fewer than the rest if it was cancelled.
    """

    prompt_tokens: int
    cached_tokens: int
    computed_tokens: int

    @property
    def is_complete(self) -> bool:
        """Whether the whole prompt is in the prefix cache now."""
        return self.cached_tokens + self.computed_tokens == self.prompt_tokens


class Engine(ABC):
    """One model that is ready to generate.

    name: as the user chose the model, or its file's. kind: as `--engine` names the implementation.
    tokenizer: of all ids that go in and out. load_ms: how long loading took. context_length: most
    tokens of a prompt and its completion together. breaks: what goes first between two steps of a
    call; an engine whose steps are elsewhere, or that has none, calls it seldom or never.
    """

    kind: str
    name: str
    tokenizer: TokenizerBase
    load_ms: float
    context_length: int
    capabilities: Capabilities
    breaks: Breaks | None = None

    @property
    def note(self) -> str:
        """A sentence for the user about something unusual in loading, mostly empty."""
        return ""

    @property
    def load_details(self) -> str:
        """What loading spent its time on, in a few words, or nothing."""
        return ""

    @abstractmethod
    def batch(
        self,
        requests: Sequence[Request],
        options: SamplingOptions = GREEDY,
        *,
        cancel: Cancellation | None = None,
        on_token: OnToken | None = None,
        on_done: OnDone | None = None,
        streams: int | None = None,
        more: More | None = None,
    ) -> list[Generation]:
        """Generations of all requests, in their order.

        At most `streams` completions are decoded at a time, or else the samples of one prompt; the
        next prompt begins when there is room (continuous batching). None decodes all together. What
        a request yields does not depend on the others. A cancelled batch returns what it has so
        far, without completions for prompts that were not begun. Timings are of the whole batch.

        `more` is asked before every step for requests that join the batch, which are numbered
        behind those before them and have to pass `check_prompt`; the batch ends when it has none
        and nothing is left to decode. Who passes it uses `on_done`, and has to leave room in the
        cache for what joins.

        Raises UsageError (options out of range), MidlineError (an empty prompt, a prompt too long
        for the context, no room in the cache).
        """

    def generate(
        self,
        request: Request,
        options: SamplingOptions = GREEDY,
        *,
        cancel: Cancellation | None = None,
        on_token: OnToken | None = None,
    ) -> Generation:
        """`options.samples` completions of one prompt; see `batch`."""
        return self.batch([request], options, cancel=cancel, on_token=on_token)[0]

    def prefill(
        self,
        prompt: Sequence[int],
        *,
        cancel: Cancellation | None = None,
        step_tokens: int | None = None,
    ) -> Prefill:
        """Computes a prompt into the prefix cache, so that a request finds it there.

        It is computed in steps that end at multiples of `step_tokens`; None is the step that is the
        most efficient. Each step that was completed is kept if `cancel` is set later, and the call
        returns. Raises MidlineError for prompts that `batch` refuses.
        """
        self.check_prompt(prompt)
        return Prefill(len(prompt), 0, 0)

    def cached_tokens(self, prompt: Sequence[int]) -> int:
        """How many tokens a prompt begins with that a request would find in the prefix cache.

        At most all but the last, which is always computed, since its logits are asked for.
        """
        return 0

    def sparsity(self, options: SamplingOptions) -> float:
        """Share of the weights that decoding with these options skips."""
        return 0.0

    def warm_up(self) -> None:  # noqa: B027 - an engine may have nothing to prepare
        """Prepares in advance what the first request would otherwise spend time on."""

    @abstractmethod
    def close(self) -> None:
        """Frees the memory. Any later call but another `close` raises MidlineError."""

    def prompt_bytes(self, request: Request) -> bytes:
        """The text of a request before its completion, the bytes of `Request.align` included.

        Special tokens are written out, as in `<|fim_prefix|>`.
        """
        return b"".join(map(self.tokenizer.token_bytes, request.prompt)) + request.align

    def check_joining(self, requests: Sequence[Request], more: More | None) -> None:
        """Raises UsageError for what needs the capability `joining`, where there is none."""
        if more is not None or any(r.options is not None or r.cancel is not None for r in requests):
            raise UsageError(
                f"the engine {self.kind} decodes a batch as a whole; send requests one by one"
            )

    def check_prompt(self, prompt: Sequence[int]) -> None:
        """Raises MidlineError for an empty prompt and for one that fills the context."""
        if not prompt:
            raise MidlineError("the prompt is empty; give the model at least one token to go on")
        if len(prompt) >= self.context_length:
            raise MidlineError(
                f"the prompt has {len(prompt)} tokens and the context holds {self.context_length}; "
                "shorten it"
            )

    def check_requests(self, requests: Sequence[Request], options: SamplingOptions) -> None:
        """Raises UsageError or MidlineError for a batch that an engine of our own cannot decode."""
        options.check()
        for request in requests:
            self.check_prompt(request.prompt)
            own = request.options or options
            own.check()
            if request.resume is not None and own.samples > 1:
                raise UsageError("a completion is resumed alone; ask for one sample")
