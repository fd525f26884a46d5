"""The state of a batch: its requests, and a stream for each sample."""

from collections.abc import Sequence as Ids
from dataclasses import dataclass, field

from midline.model.cancellation import Cancellation
from midline.model.decoding.alignment.token_healing import Alignment
from midline.model.decoding.request import OnDone, OnToken, Request
from midline.model.runtime.kv_cache import Sequence


@dataclass(frozen=True)
class Batch:
    """Requests that are decoded together; see `Engine.batch` for the other fields."""

    requests: Ids[Request]
    streams: int | None = None
    cancel: Cancellation | None = None
    on_token: OnToken | None = None
    on_done: OnDone | None = None


@dataclass(slots=True)
class Stream:
    """One sample. `repeated`: its tokens that lie wholly within the bytes of `Request.align`."""

    prompt: int
    sample: int
    sequence: Sequence
    alignment: Alignment
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
