"""An engine whose text is known beforehand, behind the interface of all engines.

It writes the tokens of `answer(text of the prompt)` behind the bytes to align with, one every
`seconds`. Samples are the parts of the answer between bars, in turn.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from midline.model.cancellation import Cancellation
from midline.model.engines.base import (
    GREEDY,
    Capabilities,
    Completion,
    DrawnToken,
    Engine,
    Generation,
    More,
    OnDone,
    OnToken,
    Prefill,
    Request,
    SamplingOptions,
    Timings,
)
from midline.model.errors import MidlineError, UsageError
from midline.model.tokenizer.base import TokenizerBase

Answer = Callable[[str], str]


@dataclass
class FakeEngine(Engine):
    """asked: the text of every prompt. options: those of every request. given_up: cancelled
    requests. written: tokens of all completions. known: the prompts in the prefix cache. reads:
    calls of prefill, and prompts of requests. conditional: each token's log-probability as
    `on_token`
    hears it."""

    capabilities = Capabilities(prefill=True, streaming=True, logprobs=True, resume=True)
    tokenizer: TokenizerBase
    answer: Answer
    seconds: float = 0.0
    name: str = "fake"
    context_length: int = 32768
    load_ms: float = 12.5
    note: str = ""
    asked: list[str] = field(default_factory=list)
    options: list[SamplingOptions] = field(default_factory=list)
    given_up: int = 0
    written: int = 0
    known: list[tuple[int, ...]] = field(default_factory=list)
    reads: int = 0
    seconds_per_prompt_token: float = 0.0
    kind: str = "fake"
    conditional: float = -0.01
    is_closed: bool = False

    def cached_tokens(self, prompt: Sequence[int]) -> int:
        return min(self._common(prompt), len(prompt) - 1)

    def _common(self, prompt: Sequence[int]) -> int:
        self._check_open()
        ids = tuple(prompt)
        return max((_common(ids, known) for known in self.known), default=0)

    def prefill(
        self,
        prompt: Sequence[int],
        *,
        cancel: Cancellation | None = None,
        step_tokens: int | None = None,
    ) -> Prefill:
        self._check_open()
        self.check_prompt(prompt)
        ids = tuple(prompt)
        self.reads += 1
        cached = at = self._common(ids)
        step = step_tokens or len(ids)
        while at < len(ids) and not (cancel is not None and cancel.is_set()):
            end = min(len(ids), (at // step + 1) * step)
            if not self._pass_time(end - at, cancel):
                break
            at = end
            self.known = [known for known in self.known if known != ids[: len(known)]]
            self.known.append(ids[:at])
        return Prefill(len(ids), cached, at - cached)

    def _pass_time(self, tokens: int, cancel: Cancellation | None) -> bool:
        for _ in range(tokens if self.seconds_per_prompt_token else 0):
            if cancel is not None and cancel.is_set():
                return False
            time.sleep(self.seconds_per_prompt_token)
        return True

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
        self._check_open()
        options.check()
        self.check_joining(requests, more)
        for request in requests:
            self.check_prompt(request.prompt)
            if request.resume and options.samples > 1:
                raise UsageError("a completion is resumed alone; ask for one sample")
        found = []
        for number, request in enumerate(requests):
            found.append(self._answer(number, request, options, cancel, on_token))
            if on_done:
                on_done(number, found[-1])
        return found

    def _answer(
        self,
        number: int,
        request: Request,
        options: SamplingOptions,
        cancel: Cancellation | None,
        on_token: OnToken | None,
    ) -> Generation:
        self.asked.append(self.tokenizer.decode(request.prompt))
        self.options.append(options)
        whole = [*request.prompt, *(request.resume.ids if request.resume else [])]
        cached = self.cached_tokens(whole)
        self.prefill(whole)
        completions = []
        for sample in range(options.samples):
            text = self.answer(self.asked[-1])
            written = request.align + text.split("|")[sample % (text.count("|") + 1)].encode()
            completions.append(
                self._write(number, sample, written, request, options, cancel, on_token)
            )
        return Generation(completions, len(whole), cached, Timings(0.0, 1.0, 2.0, 3.0, 4.0))

    def _write(
        self,
        number: int,
        sample: int,
        written: bytes,
        request: Request,
        options: SamplingOptions,
        cancel: Cancellation | None,
        on_token: OnToken | None,
    ) -> Completion:
        ids = list(request.resume.ids) if request.resume else []
        most = min(options.max_tokens, self.context_length - len(request.prompt))
        reason = "stop"
        for id in self.tokenizer.encode(written)[len(ids) :]:
            time.sleep(self.seconds)
            if cancel is not None and cancel.is_set():
                self.given_up += 1
                reason = "cancelled"
                break
            if len(ids) >= most:
                reason = "length"
                break
            ids.append(id)
            self.written += 1
            logprob = -1.0 - sample
            if on_token:
                on_token(DrawnToken(number, sample, id, logprob, self.conditional, 1.0))
            if request.stop and self._is_asked(ids, request) and request.stop(sample, ids):
                break
        if request.on_end and reason != "cancelled":
            request.on_end(sample, ids)
        mean = -1.0 - sample
        text = self.tokenizer.decode(ids)
        return Completion(ids, text, mean, mean, reason, [mean] * len(ids))

    def _is_asked(self, ids: list[int], request: Request) -> bool:
        return sum(len(self.tokenizer.token_bytes(id)) for id in ids) >= len(request.align)

    def close(self) -> None:
        self.is_closed = True

    def _check_open(self) -> None:
        if self.is_closed:
            raise MidlineError("the engine of fake is closed; load the model again")


def _common(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """How many ids both begin with, found by halving."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if a[:middle] == b[:middle] else (low, middle - 1)
    return low
