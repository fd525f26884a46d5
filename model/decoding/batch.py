"""The state of a batch: its requests, and a stream for each sample."""

from collections.abc import Sequence as Ids
from dataclasses import dataclass, field

from midline.model.cancellation import Cancellation
from midline.model.decoding.alignment.token_healing import Alignment
from midline.model.decoding.breaks import Breaks
from midline.model.decoding.options import SamplingOptions
from midline.model.decoding.repetition import repeats
from midline.model.decoding.request import More, OnDone, OnToken, Request
from midline.model.runtime.kv_cache import Sequence


@dataclass(frozen=True)
class Batch:
    """Requests that are decoded together; see `Engine` for the other fields."""

    requests: Ids[Request]
    streams: int | None = None
    cancel: Cancellation | None = None
    on_token: OnToken | None = None
    on_done: OnDone | None = None
    more: More | None = None
    breaks: Breaks | None = None


@dataclass(slots=True)
class Stream:
    """One sample.

    options: those of its request, the request's seed among them. cancel: the request's own.
    `repeated`: its tokens that lie wholly within the bytes of `Request.align`.
    """

    prompt: int
    sample: int
    sequence: Sequence
    alignment: Alignment
    options: SamplingOptions
    cancel: Cancellation | None = None
    ids: list[int] = field(default_factory=list)
    logprobs: list[float] = field(default_factory=list)
    repeated: int = 0
    finish: str = ""

    def append(self, token: int, logprob: float, size: int) -> None:
        """Adds a token of `size` bytes."""
        given = len(self.alignment.remaining)
        self.repeated += given > 0 and size <= given
        self.alignment.consume(token)
        self.ids.append(token)
        self.logprobs.append(logprob)

    def is_long_enough(self, room: int) -> bool:
        """Whether it has the tokens that its options or `room` allow, or goes round in circles."""
        o, count = self.options, len(self.ids)
        circles = o.max_repeats > 0 and repeats(self.ids, o.max_repeats)
        return count >= min(o.max_tokens, room) or circles

    @property
    def needs_all_logits(self) -> bool:
        """Whether a screen would not do: a draw from it would depend on the number of rows."""
        return bool(self.alignment.remaining) or self.options.temperature > 0

    @property
    def is_given_up(self) -> bool:
        """Whether its request was cancelled, alone among those of the batch."""
        return self.cancel is not None and self.cancel.is_set()
