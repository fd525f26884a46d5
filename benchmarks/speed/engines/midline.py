"""The adapter of Midline's native engine, driven step by step like its peers."""

import time
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline import kernels
from midline.model.engines.base import NativeOptions, Request, SamplingOptions
from midline.model.engines.native.engine import NativeEngine
from midline.model.runtime.decoder import StepOptions
from midline.model.runtime.kv_cache import Sequence


class MidlineSpeed:
    """Speed measurements of the native engine; `exact` computes the whole output matrix.

    With `sparsity` everything after the first prompt is sparse. Steps of several rows then compute
    the same numbers as sparse ones, at the cost of dense ones.
    """

    def __init__(
        self, model: Path, threads: int, exact: bool, cache_tokens: int, sparsity: float = 0.0
    ) -> None:
        self.engine = NativeEngine.load(
            model, threads=threads, cache_tokens=cache_tokens, sparsity=sparsity
        )
        self.decoder = self.engine.decoder
        profile = self.engine.profile(sparsity)
        thresholds = self.decoder.thresholds(profile) if profile else None
        self.options = StepOptions(exact=exact, thresholds=thresholds)
        self.sparsity = sparsity
        self.cache = self.decoder.cache
        self._shape: tuple[Any, ...] = ()
        self._filled: list[Sequence] = []
        self._first: list[int] = []

    def versions(self) -> dict[str, str]:
        """The instruction set of the kernels chosen on this machine."""
        return {"midline kernels": kernels.kernel_name()}

    def settings(self) -> dict[str, Any]:
        """Threads, form of the output matrix and memory in huge pages."""
        return {
            "threads": self.decoder.threads,
            "sparsity": self.sparsity,
            "output_matrix": "exact" if self.options.exact else "screened",
            "huge_page_bytes": kernels.huge_page_bytes(self.decoder.weights.arena),
            "load_ms": round(self.engine.load_ms, 1),
        }

    def read_bandwidth(self, seconds: float) -> float:
        """Gigabytes a second that the same threads read from memory, in huge pages if granted."""
        return float(kernels.read_bandwidth(self.decoder.threads, seconds)) / 1e9

    def dot_rate(self, seconds: float) -> float:
        """8-bit multiply-adds a second that the same threads do in registers."""
        return float(kernels.dot_rate(self.decoder.threads, seconds))

    def complete(self, prompt: list[int], tokens: int) -> str:
        """Text of one ordinary completion through the engine's own interface."""
        native = NativeOptions(sparsity=self.sparsity)
        options = SamplingOptions(max_tokens=tokens, engine=native)
        return self.engine.generate(Request(prompt), options).completions[0].text

    def prefill(self, prompt: list[int]) -> float:
        """Seconds of the whole prompt in an empty sequence, one row of logits."""
        start = time.perf_counter()
        sequence = self.cache.start([])
        int(self._forward([sequence], [prompt]).argmax())
        seconds = time.perf_counter() - start
        self.cache.finish(sequence, remember=False)
        return seconds

    def decode(self, prompts: list[list[int]], tokens: int) -> float:
        """Seconds of `tokens` steps of all prompts together, each with pages of its own."""
        shape = ("decode", len(prompts), len(prompts[0]))
        if shape != self._shape:
            self._release()
            self._filled = [self.cache.start([]) for _ in prompts]
            rows = [self._forward([s], [p])[0] for s, p in zip(self._filled, prompts, strict=True)]
            self._first = [int(row.argmax()) for row in rows]
            self._shape = shape
        behind = [self._behind(filled) for filled in self._filled]
        return self._steps(behind, self._first, tokens)

    def samples(self, prompt: list[int], samples: int, tokens: int) -> float:
        """Seconds of `tokens` steps of `samples` sequences that share the prompt's pages."""
        first = self._prepare_samples(prompt, samples)
        return self._steps([self._fork() for _ in first], first, tokens)

    def keystrokes(self, prompt: list[int], typed: list[int], tokens: int) -> float:
        """Seconds of all keystrokes: each adds one of `typed` and draws `tokens` tokens."""
        shape = ("keystrokes", len(prompt))
        if shape != self._shape:
            self._release()
            self._filled = [self.cache.start([])]
            self._forward(self._filled, [prompt])
            self._shape = shape
        document = self.cache.fork(self._filled[0])
        start = time.perf_counter()
        for token in typed:
            self._keystroke(document, token, tokens)
        seconds = time.perf_counter() - start
        self.cache.finish(document, remember=False)
        return seconds

    def _prepare_samples(self, prompt: list[int], samples: int) -> list[int]:
        """Prefills the prompt; returns its likeliest next tokens, the first of each sample."""
        shape = ("samples", samples, len(prompt))
        if shape != self._shape:
            self._release()
            self._filled = [self.cache.start([])]
            last = self._forward(self._filled, [prompt])[0]
            self._first = np.argsort(last)[::-1][:samples].tolist()
            self._shape = shape
        return self._first

    def _fork(self) -> Sequence:
        return self.cache.fork(self._filled[0])

    def _behind(self, filled: Sequence) -> Sequence:
        sequence = self.cache.fork(filled)
        sequence.sparse_from = len(sequence.tokens)
        return sequence

    def _keystroke(self, document: Sequence, typed: int, tokens: int) -> None:
        last = self._forward([document], [[typed]])[0]
        completion = self.cache.fork(document)
        for _ in range(tokens - 1):
            last = self._forward([completion], [[int(last.argmax())]])[0]
        self.cache.finish(completion, remember=False)

    def _release(self) -> None:
        for sequence in self._filled:
            self.cache.finish(sequence, remember=False)
        self._filled = []

    def _forward(self, sequences: list[Sequence], ids: list[list[int]]) -> NDArray[np.float32]:
        batch = list(zip(sequences, ids, strict=True))
        return self.decoder.forward(batch, options=self.options)

    def _steps(self, sequences: list[Sequence], first: list[int], tokens: int) -> float:
        current = list(first)
        start = time.perf_counter()
        for _ in range(tokens):
            logits = self._forward(sequences, [[token] for token in current])
            current = logits.argmax(axis=1).tolist()
        seconds = time.perf_counter() - start
        for sequence in sequences:
            self.cache.finish(sequence, remember=False)
        return seconds


def load(
    model: Path, threads: int, options: dict[str, Any], kind: type[MidlineSpeed] = MidlineSpeed
) -> MidlineSpeed:
    """Load `model`; options: `exact`, `cache_tokens` and `sparsity`."""
    sparsity = options.get("sparsity", 0.0)
    return kind(model, threads, options["exact"], options["cache_tokens"], sparsity)
