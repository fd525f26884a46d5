"""A request for completions of one prompt, and its result."""

from collections.abc import Callable
from collections.abc import Sequence as Ids
from dataclasses import dataclass, field

from midline.model.cancellation import Cancellation
from midline.model.decoding.options import SamplingOptions

Stop = Callable[[int, list[int]], bool]
"""stop(sample, ids so far): whether the completion ends here. It must not keep or change `ids`."""


@dataclass(frozen=True, slots=True)
class DrawnToken:
    """One token of a completion, as `on_token` gets it.

    prompt: the request's index in its batch. logprob: natural log-probability in the model's
    unmodified distribution. conditional: the same, given the bytes of `Request.align`; where these
    were generated as a whole tokenization (`covering_tree`), its last token has the log-probability
    of all of it. margin: the token's logit less the highest logit of any other token, which tells
    how clear a greedy choice was (negative if another token was likelier); NaN where the engine
    does not know it, as in a whole tokenization.
    """

    prompt: int
    sample: int
    id: int
    logprob: float
    conditional: float
    margin: float


OnToken = Callable[[DrawnToken], None]
"""Called for every token as it is drawn, before `stop` is asked, in the thread that generates."""
OnEnd = Callable[[int, list[int]], None]
"""on_end(sample, its ids): called in the thread that generates; the ids are not to be kept."""
OnDone = Callable[[int, "Generation"], None]
"""on_done(index of the request, its generation): called once for each request, when it is over."""


@dataclass(slots=True)
class Completion:
    """One sample.

    ids: its tokens, without an end token; the first ones repeat `Request.align`. text: those
    tokens, bytes that are not UTF-8 as U+FFFD. logprobs: of each token, natural, in the unmodified
    distribution. mean_logprob: over the tokens that write more than bytes of `align`. score: higher
    for better, comparable among samples of one prompt. finish_reason: "stop" (an end token, or
    `Request.stop`), "length" (max_tokens, the context's end, or repetition) or "cancelled".
    """

    ids: list[int]
    text: str
    mean_logprob: float
    score: float
    finish_reason: str
    logprobs: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Request:
    """A prompt and what belongs to it alone.

    prompt: ids of the engine's tokenizer, at least one. align: bytes that every completion has to
    begin with, and with which the text of the prompt continues: those of the tokens that token
    healing removed from it. stop: asked after every token outside `align`. seed: in place of the
    options' seed.

    resume: a completion of this very request that `stop`, max_tokens or a cancellation ended: the
    new one begins with its tokens and continues as if it had not been interrupted. Only tokens that
    have left the prefix cache are computed again. It needs `samples` 1.

    sparse_from: the first position, counted from the beginning of the prompt, that may be computed
    sparsely. None is a few tokens after the prompt; a caller who puts tokens that were generated
    into the prompt names the position of the first prompt here, and the text stays the same.

    drafts: token ids of texts that this one may repeat, each a prompt with its completion, the
    likeliest last. They are drafts of a completion that is drawn alone, and change no token of it.

    on_end: called when a completion is over while others of its request may still be written. It
    may come late, or not at all, from engines without the capability `streaming`.

    options: in place of the batch's, except for `SamplingOptions.engine`, which is of the batch.
    cancel: ends this request alone, between two steps; the others of its batch go on. Both are for
    engines with the capability `joining`; others refuse them.
    """

    prompt: Ids[int]
    align: bytes = b""
    stop: Stop | None = None
    seed: int | None = None
    resume: Completion | None = None
    sparse_from: int | None = None
    drafts: Ids[Ids[int]] = ()
    on_end: OnEnd | None = None
    options: SamplingOptions | None = None
    cancel: Cancellation | None = None


More = Callable[[], Ids[Request]]
"""Called before every step of a batch, in the thread that generates: requests that join it."""


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds and tokens per second of a request or batch; decode counts all samples."""

    load_ms: float
    prefill_ms: float
    decode_ms: float
    prefill_tokens_per_second: float
    decode_tokens_per_second: float


@dataclass(slots=True)
class Generation:
    """All samples of one prompt in the order of their numbers.

    prompt_tokens: length of the prompt, resumed tokens included; cached_tokens: of these, how many
    were in the prefix cache and not computed. drafted_tokens and accepted_tokens: of speculative
    decoding. passes: forward passes after the prompt, each of one or more rows, without those that
    made drafts.
    """

    completions: list[Completion]
    prompt_tokens: int
    cached_tokens: int
    timings: Timings
    drafted_tokens: int = 0
    accepted_tokens: int = 0
    passes: int = 0
