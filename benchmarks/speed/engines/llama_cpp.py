"""The adapter of llama.cpp: llama_decode through llama-cpp-python, without its Python sampler."""

import ctypes
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.metadata import version
from itertools import product
from pathlib import Path
from typing import Any

import llama_cpp
import numpy as np
from numpy.typing import NDArray

from midline.model.errors import MidlineError

FLASH_OFF, FLASH_ON = 0, 1


@dataclass(frozen=True)
class Variant:
    """One way to set up a context; the fastest of the tried ones is kept."""

    flash_attention: bool = True
    unified_cache: bool = True
    micro_batch: int = 512


@ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)
def _quiet(level: int, text: bytes, data: int) -> None:
    """Drop llama.cpp's log lines."""


class LlamaModel:
    """Weights of one GGUF file, repacked by llama.cpp as it does by default."""

    def __init__(self, path: Path) -> None:
        llama_cpp.llama_log_set(_quiet, ctypes.c_void_p(0))
        llama_cpp.llama_backend_init()
        parameters = llama_cpp.llama_model_default_params()
        self.handle = llama_cpp.llama_model_load_from_file(str(path).encode(), parameters)
        if not self.handle:
            raise MidlineError(f"llama.cpp cannot load {path}; check the file with midline model")
        vocabulary = llama_cpp.llama_model_get_vocab(self.handle)
        self.vocabulary_size = int(llama_cpp.llama_vocab_n_tokens(vocabulary))


class LlamaContext:
    """One llama.cpp context: a KV cache of `cells` tokens for `sequences` sequences."""

    def __init__(
        self, model: LlamaModel, *, cells: int, sequences: int, threads: int, variant: Variant
    ) -> None:
        parameters = llama_cpp.llama_context_default_params()
        parameters.n_ctx = cells
        parameters.n_batch = cells
        parameters.n_ubatch = min(variant.micro_batch, parameters.n_batch)
        parameters.n_seq_max = sequences
        parameters.n_threads = parameters.n_threads_batch = threads
        parameters.flash_attn_type = FLASH_ON if variant.flash_attention else FLASH_OFF
        parameters.kv_unified = variant.unified_cache
        parameters.no_perf = True
        self.model = model
        self.handle = llama_cpp.llama_init_from_model(model.handle, parameters)
        if not self.handle:
            raise MidlineError(f"llama.cpp refuses a context of {cells} tokens")
        self.memory = llama_cpp.llama_get_memory(self.handle)
        self.batch = llama_cpp.llama_batch_init(int(parameters.n_batch), 0, 1)

    def close(self) -> None:
        """Free the context and its cache."""
        llama_cpp.llama_batch_free(self.batch)
        llama_cpp.llama_free(self.handle)

    def decode(self, rows: list[tuple[int, int, int, bool]]) -> NDArray[np.float32]:
        """Evaluate rows (token, position, sequence, wants logits); logits [wanted, vocabulary]."""
        batch = self.batch
        batch.n_tokens = len(rows)
        wanted = 0
        for index, (token, position, sequence, logits) in enumerate(rows):
            batch.token[index] = token
            batch.pos[index] = position
            batch.n_seq_id[index] = 1
            batch.seq_id[index][0] = sequence
            batch.logits[index] = int(logits)
            wanted += logits
        status = llama_cpp.llama_decode(self.handle, batch)
        if status != 0:
            raise MidlineError(f"llama.cpp's decode call failed with status {status}")
        llama_cpp.llama_synchronize(self.handle)
        pointer = llama_cpp.llama_get_logits(self.handle)
        return np.ctypeslib.as_array(pointer, shape=(wanted, self.model.vocabulary_size))

    def fill(self, prompt: list[int], sequence: int = 0) -> NDArray[np.float32]:
        """Evaluate `prompt` from an empty sequence; logits [vocabulary] of its last position."""
        llama_cpp.llama_memory_seq_rm(self.memory, sequence, -1, -1)
        last = len(prompt) - 1
        return self.decode([(token, i, sequence, i == last) for i, token in enumerate(prompt)])[0]

    def truncate(self, sequence: int, length: int) -> None:
        """Forget every position of `sequence` from `length` on."""
        llama_cpp.llama_memory_seq_rm(self.memory, sequence, length, -1)

    def share(self, source: int, target: int) -> None:
        """Give `target` the cached positions of `source`, stored once if the cache is unified."""
        llama_cpp.llama_memory_seq_rm(self.memory, target, -1, -1)
        llama_cpp.llama_memory_seq_cp(self.memory, source, target, -1, -1)

    def copy(self, source: int, targets: list[int]) -> None:
        """Store a separate copy of `source` in each of `targets`."""
        size = llama_cpp.llama_state_seq_get_size(self.handle, source)
        state = (ctypes.c_uint8 * size)()
        llama_cpp.llama_state_seq_get_data(self.handle, state, size, source)
        for target in targets:
            if llama_cpp.llama_state_seq_set_data(self.handle, state, size, target) == 0:
                raise MidlineError(f"llama.cpp has no room for a copy in sequence {target}")

    def clear(self) -> None:
        """Forget every sequence."""
        llama_cpp.llama_memory_clear(self.memory, False)


class LlamaCpp:
    """Speed measurements of llama.cpp: every variant is tried once, the fastest kept."""

    def __init__(self, model: Path, threads: int) -> None:
        self.threads = threads
        self.model = LlamaModel(model)
        self._shape: tuple[Any, ...] = ()
        self._context: LlamaContext | None = None
        self._variant = Variant()
        self._first: list[int] = []

    def versions(self) -> dict[str, str]:
        """Version of llama-cpp-python and the CPU features its llama.cpp was built with."""
        features = llama_cpp.llama_print_system_info().decode().strip()
        return {"llama-cpp-python": version("llama-cpp-python"), "llama.cpp features": features}

    def settings(self) -> dict[str, Any]:
        """Threads and the variant kept for the last measurement."""
        return {"threads": self.threads, **asdict(self._variant)}

    def prefill(self, prompt: list[int]) -> float:
        """Seconds of one llama_decode of the whole prompt, one row of logits."""
        length = len(prompt)
        shape = ("prefill", length)
        context = self._ready(shape, 1, lambda _: length, lambda trial: _timed_fill(trial, prompt))
        return _timed_fill(context, prompt)

    def decode(self, prompts: list[list[int]], tokens: int) -> float:
        """Seconds of `tokens` decode calls, one row per prompt; every cache holds the first one."""
        count, length = len(prompts), len(prompts[0])

        def trial(context: LlamaContext) -> float:
            self._first = _best(context.fill(prompts[0]), count)
            context.copy(0, list(range(1, count)))
            return self._steps(context, length, tokens)

        cells = count * _rounded(length + tokens)
        shape = ("decode", count, length, tokens)
        context = self._ready(shape, count, lambda _: cells, trial)
        return self._steps(context, length, tokens)

    def samples(self, prompt: list[int], samples: int, tokens: int) -> float:
        """Seconds of `tokens` decode calls of `samples` rows that share the prompt's cache."""
        length = len(prompt)

        def cells(variant: Variant) -> int:
            if variant.unified_cache:
                return length + samples * tokens
            return samples * _rounded(length + tokens)

        def trial(context: LlamaContext) -> float:
            self._first = _best(context.fill(prompt), samples)
            for target in range(1, samples):
                context.share(0, target)
            return self._steps(context, length, tokens)

        context = self._ready(("samples", samples, length, tokens), samples, cells, trial)
        return self._steps(context, length, tokens)

    def keystrokes(self, prompt: list[int], typed: list[int], tokens: int) -> float:
        """Seconds of all keystrokes: each adds one of `typed` and draws `tokens` tokens."""
        length = len(prompt)

        def trial(context: LlamaContext) -> float:
            context.fill(prompt)
            return self._keystrokes(context, length, typed, tokens)

        cells = length + len(typed) + tokens
        shape = ("keystrokes", length, len(typed), tokens)
        context = self._ready(shape, 1, lambda _: cells, trial)
        return self._keystrokes(context, length, typed, tokens)

    def _keystrokes(
        self, context: LlamaContext, length: int, typed: list[int], tokens: int
    ) -> float:
        start = time.perf_counter()
        for place, token in enumerate(typed, start=length):
            context.truncate(0, place)
            for position in range(place, place + tokens):
                token = int(context.decode([(token, position, 0, True)])[0].argmax())
        return time.perf_counter() - start

    def _steps(self, context: LlamaContext, length: int, tokens: int) -> float:
        current = list(self._first)
        for sequence in range(len(current)):
            context.truncate(sequence, length)
        start = time.perf_counter()
        for position in range(length, length + tokens):
            rows = [(token, position, row, True) for row, token in enumerate(current)]
            current = context.decode(rows).argmax(axis=1).tolist()
        return time.perf_counter() - start

    def _ready(
        self,
        shape: tuple[Any, ...],
        sequences: int,
        cells: Callable[[Variant], int],
        trial: Callable[[LlamaContext], float],
    ) -> LlamaContext:
        """The filled context of the variant whose `trial` was fastest, tried once per `shape`."""
        if self._context is not None and shape == self._shape:
            return self._context
        if self._context is not None:
            self._context.close()
            self._context = None
        fastest = float("inf")
        for variant in _variants(sequences):
            context = LlamaContext(
                self.model,
                cells=_rounded(cells(variant)),
                sequences=sequences,
                threads=self.threads,
                variant=variant,
            )
            seconds = trial(context)
            if seconds >= fastest:
                context.close()
                continue
            if self._context is not None:
                self._context.close()
            fastest, self._variant, self._context = seconds, variant, context
        assert self._context is not None
        self._shape = shape
        return self._context


def _variants(sequences: int) -> list[Variant]:
    unified = (True, False) if sequences > 1 else (True,)
    return [
        Variant(flash_attention=flash, unified_cache=one)
        for flash, one in product((True, False), unified)
    ]


def _rounded(cells: int) -> int:
    """llama.cpp's cache grows in steps of 256 cells."""
    return -(-cells // 256) * 256


def _best(logits: NDArray[np.float32], count: int) -> list[int]:
    """The `count` most probable tokens: every sequence starts with another one."""
    return np.argsort(logits)[::-1][:count].tolist()


def _timed_fill(context: LlamaContext, prompt: list[int]) -> float:
    start = time.perf_counter()
    int(context.fill(prompt).argmax())
    return time.perf_counter() - start


def load(model: Path, threads: int, options: dict[str, Any]) -> LlamaCpp:
    """Load `model`; llama.cpp has no options here."""
    return LlamaCpp(model, threads)
