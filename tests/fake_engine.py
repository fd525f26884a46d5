"""An engine whose text is known beforehand: the interface of the real one, the weights of none.

It writes the tokens of `answer(prompt text)` behind the bytes given back, one every `seconds`, and
honours `cancel`, `stop` and `max_tokens` as the real engine does.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from midline.model.engines.native.engine import Completion, GenerateOptions, Generation, Timings
from midline.model.tokenizer.tokenizer import Tokenizer

Answer = Callable[[str], str]


@dataclass
class FakeEngine:
    """`asked` keeps the text of every prompt, `given_up` counts the cancelled requests
    and `written` the tokens of all. `known` are the prompts it has read."""

    tokenizer: Tokenizer
    answer: Answer
    seconds: float = 0.0
    name: str = "fake"
    context_length: int = 32768
    load_ms: float = 12.5
    note: str = ""
    asked: list[str] = field(default_factory=list)
    options: list[GenerateOptions] = field(default_factory=list)
    given_up: int = 0
    written: int = 0
    known: list[tuple[int, ...]] = field(default_factory=list)
    reads: int = 0
    seconds_per_prompt_token: float = 0.0

    def known_tokens(self, prompt_ids: Sequence[int]) -> int:
        ids = tuple(prompt_ids)
        most = max((_common(ids, known) for known in self.known), default=0)
        return min(most, len(ids) - 1)

    def read(self, prompt_ids: Sequence[int], *, cancel: Any = None) -> None:
        ids = tuple(prompt_ids)
        self.reads += 1
        for _ in range(len(ids) - self.known_tokens(ids)):
            if cancel is not None and cancel.is_set():
                return
            if self.seconds_per_prompt_token:
                time.sleep(self.seconds_per_prompt_token)
        self.known = [known for known in self.known if known != ids[: len(known)]]
        self.known.append(ids)

    def generate(
        self,
        prompt_ids: Sequence[int],
        options: GenerateOptions,
        *,
        cancel: Any = None,
        stop: Callable[[int, list[int]], bool] | None = None,
        align: bytes = b"",
        on_token: Callable[[int, int], None] | None = None,
    ) -> Generation:
        self.asked.append(self.tokenizer.decode(prompt_ids))
        self.options.append(options)
        cached = self.known_tokens(prompt_ids)
        self.read(prompt_ids)
        completions = []
        for sample in range(options.samples):
            text = self.answer(self.asked[-1])
            written = align + text.split("|")[sample % (text.count("|") + 1)].encode()
            completions.append(self._write(sample, written, options, cancel, stop, on_token))
        timings = Timings(0.0, 1.0, 2.0, 3.0, 4.0)
        return Generation(completions, len(prompt_ids), cached, timings)

    def batch_generate(
        self,
        prompts: Sequence[Sequence[int]],
        options: GenerateOptions,
        *,
        aligns: Sequence[bytes],
        stops: Sequence[Callable[[int, list[int]], bool]],
    ) -> list[Generation]:
        return [
            self.generate(prompt, options, stop=stop, align=align)
            for prompt, stop, align in zip(prompts, stops, aligns, strict=True)
        ]

    def _write(
        self,
        sample: int,
        written: bytes,
        options: GenerateOptions,
        cancel: Any,
        stop: Callable[[int, list[int]], bool] | None,
        on_token: Callable[[int, int], None] | None,
    ) -> Completion:
        ids: list[int] = []
        reason = "stop"
        for id in self.tokenizer.encode(written):
            time.sleep(self.seconds)
            if cancel is not None and cancel.is_set():
                self.given_up += 1
                reason = "cancelled"
                break
            if len(ids) == options.max_tokens:
                reason = "length"
                break
            ids.append(id)
            self.written += 1
            if on_token:
                on_token(sample, id)
            if stop and stop(sample, ids):
                break
        return Completion(ids, self.tokenizer.decode(ids), -1.0 - sample, -1.0 - sample, reason)


def _common(a: tuple[int, ...], b: tuple[int, ...]) -> int:
    """How many ids both begin with, found by halving."""
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if a[:middle] == b[:middle] else (low, middle - 1)
    return low
