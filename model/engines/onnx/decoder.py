"""Forward passes of an exported model in ONNX Runtime, with the surface of the native decoder."""

import json
from collections.abc import Sequence as Ids
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline.model.cancellation import Cancellation, Cancelled
from midline.model.decoding.options import MAX_SAMPLES
from midline.model.engines.onnx.files import CONFIG, GRAPH
from midline.model.engines.onnx.key_value_slots import KeyValueSlots
from midline.model.errors import MidlineError, ModelFileError, UsageError
from midline.model.runtime.decoder import StepOptions
from midline.model.runtime.kv_cache import Sequence
from midline.model.weights.config import ModelConfig

Logits = NDArray[np.float32]
STEP_TOKENS = 512
"""Most tokens of a step; cancellation is looked at between steps."""
CAPACITY = 4096
"""Default capacity in tokens of a sequence."""
DEFAULTS = StepOptions()
MISSING = "the ONNX engine needs the package onnxruntime: install Midline with the extra `onnx`"


class OnnxDecoder:
    """An exported model and the keys and values of its sequences; used by one thread at a time."""

    def __init__(self, folder: Path, threads: int, capacity: int, rows: int = MAX_SAMPLES) -> None:
        self.config = read_config(folder)
        self.context_length = min(self.config.context_length, capacity)
        self._session = _session(folder, threads)
        self.cache = KeyValueSlots(
            self.config.layers, self.config.kv_heads, self.config.head_dim, rows=rows + 32,
            capacity=self.context_length, kept_tokens=2 * self.context_length,
        )  # fmt: skip

    def forward(
        self,
        batch: Ids[tuple[Sequence, Ids[int]]],
        *,
        logits: str = "last",
        options: StepOptions = DEFAULTS,
        cancel: Cancellation | None = None,
    ) -> Logits:
        """Appends tokens to sequences and returns logits, float32 [rows, vocab].

        logits: "last" returns one row for each sequence, "all" one for each token, "none" no row.
        Sequences with one token each are computed together, the others one after the other. Raises
        Cancelled (completed steps stay in the sequences), MidlineError when the context is full.
        """
        for sequence, tokens in batch:
            if len(sequence.tokens) + len(tokens) > self.context_length:
                raise MidlineError(f"the context of {self.context_length} tokens is full")
        found: dict[int, Logits] = {}
        singles = [i for i, (_, tokens) in enumerate(batch) if len(tokens) == 1]
        if singles:
            _stop_if(cancel)
            rows = self._together([(batch[i][0], batch[i][1][0]) for i in singles])
            found |= {i: row[None] for i, row in zip(singles, rows, strict=True)}
        for i, (sequence, tokens) in enumerate(batch):
            if i not in found:
                found[i] = self._alone(sequence, tokens, logits, cancel)
        kept = [found[i] for i in range(len(batch))] if logits != "none" else []
        return np.concatenate([np.empty((0, self.config.vocab), np.float32), *kept])

    def thresholds(self, profile: object) -> Any:
        """UsageError: nothing is skipped here."""
        raise UsageError("the ONNX engine computes densely; leave out --sparsity")

    def _alone(
        self, sequence: Sequence, tokens: Ids[int], logits: str, cancel: Cancellation | None
    ) -> Logits:
        """Appends `tokens` to one sequence, step by step."""
        parts = [np.empty((0, self.config.vocab), np.float32)]
        for at in range(0, len(tokens), STEP_TOKENS):
            _stop_if(cancel)
            piece = list(tokens[at : at + STEP_TOKENS])
            is_end = at + len(piece) == len(tokens)
            rows = list(range(len(piece))) if logits == "all" else [len(piece) - 1] * is_end
            row = sequence.pages[0]
            length = len(sequence.tokens) + len(piece)
            found = self._run((row, row + 1), np.array([piece]), [length], rows or [0])
            sequence.tokens.extend(piece)
            parts.append(found if rows else found[:0])
        return np.concatenate(parts)

    def _together(self, batch: Ids[tuple[Sequence, int]]) -> Logits:
        """Appends one token to each sequence, all in one step.

        Rows between theirs are computed, too, behind the end of what they hold, which changes
        nothing that is read.
        """
        first, end = self.cache.gather([sequence for sequence, _ in batch])
        ids, lengths = np.zeros((end - first, 1), np.int64), [1] * (end - first)
        places = []
        for sequence, token in batch:
            place = sequence.pages[0] - first
            ids[place, 0], lengths[place] = token, len(sequence.tokens) + 1
            places.append(place)
        found = self._run(
            (first, end), ids, lengths, places, spare=set(range(end - first)) - set(places)
        )
        for sequence, token in batch:
            sequence.tokens.append(token)
        return found

    def _run(
        self,
        span: tuple[int, int],
        ids: NDArray[Any],
        lengths: list[int],
        rows: list[int],
        spare: Ids[int] | set[int] = (),
    ) -> Logits:
        """One step of the rows `span`; logits of the positions `rows`, float32 [n, vocab]."""
        first, end = span
        saved = self._saved(first, spare)
        binding = self._session.io_binding()
        values = {
            "ids": ids.astype(np.int64),
            "lengths": np.array(lengths, np.int32) - 1,
            "longest": np.array(max(lengths), np.int32),
            "rows": np.array(rows, np.int64),
        }
        for name, value in values.items():
            binding.bind_cpu_input(name, value)
        for i in range(self.config.layers):
            for part, arrays in (("key", self.cache.keys), ("value", self.cache.values)):
                array = arrays[i][first:end]
                place = ("cpu", 0, np.float32, array.shape, array.ctypes.data)
                binding.bind_input(f"past_{part}_{i}", *place)
                binding.bind_output(f"{part}_{i}", *place)
        out = np.empty((len(rows), self.config.vocab), np.float32)
        binding.bind_output("logits", "cpu", 0, np.float32, out.shape, out.ctypes.data)
        self._session.run_with_iobinding(binding)
        self._restore(first, saved)
        return out

    def _saved(self, first: int, spare: Ids[int] | set[int]) -> list[tuple[int, list[Any]]]:
        """The first position of rows that are computed for nothing, which the step overwrites."""
        arrays = [*self.cache.keys, *self.cache.values]
        return [(row, [array[first + row, :, 0].copy() for array in arrays]) for row in spare]

    def _restore(self, first: int, saved: list[tuple[int, list[Any]]]) -> None:
        arrays = [*self.cache.keys, *self.cache.values]
        for row, values in saved:
            for array, value in zip(arrays, values, strict=True):
                array[first + row, :, 0] = value


def read_config(folder: Path) -> ModelConfig:
    """The sizes of an exported model; ModelFileError if the folder is no whole export."""
    try:
        return ModelConfig(**json.loads((folder / CONFIG).read_text("utf-8"))["config"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelFileError(
            f"{folder} is not a whole export of a model; remove it and export the model again"
        ) from error


def _session(folder: Path, threads: int) -> Any:
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise UsageError(MISSING) from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(
            str(folder / GRAPH), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise ModelFileError(
            f"{folder} cannot be run by ONNX Runtime ({error!s:.120}); remove it and export the "
            "model again"
        ) from error


def _stop_if(cancel: Cancellation | None) -> None:
    if cancel is not None and cancel.is_set():
        raise Cancelled
