"""Forward passes of one model: tokens are appended to sequences, and logits are returned.

Each step of at most 512 tokens is one call of the native decoder, which runs all layers
(`kernels/csrc/decoder/decoder.h`, bound in `kernels/csrc/bindings/decoder.cpp`). This file binds
the tensors of a model file to it and keeps sequences up to date.
"""

from collections.abc import Sequence as Ids
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline import kernels
from midline.kernels.reference import dequantize
from midline.model.cancellation import Cancellation, Cancelled
from midline.model.errors import MidlineError, ModelFileError
from midline.model.runtime.kv_cache import PAGE, PagePool, Sequence
from midline.model.runtime.prefix_tree import PrefixTree
from midline.model.teal.profile import Profile
from midline.model.teal.thresholds import native_thresholds
from midline.model.weights.config import ModelConfig, read_config
from midline.model.weights.gguf import SUPPORTED, GGUFFile
from midline.model.weights.packed import PackedWeights, load_weights
from midline.model.weights.packed_file import Progress

Logits = NDArray[np.float32]
EXACT_ROWS = 32
"""Most rows (tokens) of a step for which no bit of a row depends on the others. Prefill takes
more."""
CACHE_TOKENS = 16384
"""Default size of the KV cache in tokens: prompts, completions and known prefixes together."""
TAIL_TOKENS = 4096
"""Tokens in addition: two pages for each of MAX_SAMPLES samples, even after the longest prompt."""
KEPT_BYTES, LEAST_KEPT_TOKENS = 112 << 20, 4096
"""Memory of the KV cache that prompts may keep when nothing is computed: with the 0.5B 9557
tokens, which are the whole windows (`WindowLimits`) of three documents. Models of larger pages keep
LEAST_KEPT_TOKENS at least."""


@dataclass(frozen=True, slots=True)
class StepOptions:
    """How a step computes.

    exact: compute the whole output matrix; otherwise a step of a single row screens it. Steps of
    several rows are always exact.
    float_activations: unquantized activations and float64 sums, for debugging.
    thresholds: activations below them count as zero (TEAL) at positions from each sequence's
    `sparse_from` on. A step of one row then reads only the weights that are left; steps of several
    rows compute the same bits without reading less.
    """

    exact: bool = False
    float_activations: bool = False
    thresholds: kernels.Thresholds | None = None


DEFAULTS = StepOptions()
_RELEASE_ROWS = 128
"""Rows of the embedding to read between two releases of the model file's pages to the system."""


class Decoder:
    """A decoder-only transformer on packed weights, and the prefix tree of its KV cache.

    It owns both, and the thresholds of each profile that was used. One thread may use it at a time.
    kept_bytes: what of the cache prompts may keep when nothing is computed (see KEPT_BYTES); None
    is all of it.
    """

    def __init__(
        self,
        file: GGUFFile,
        threads: int,
        progress: Progress | None = None,
        cache_tokens: int = CACHE_TOKENS,
        tail_tokens: int = TAIL_TOKENS,
        kept_bytes: int | None = None,
    ) -> None:
        self.config: ModelConfig = read_config(file)
        self.weights: PackedWeights = load_weights(file, self.config, threads, progress)
        self.threads = threads
        self.file = file
        self._thresholds: dict[Profile, kernels.Thresholds] = {}
        self._touched = 0  # embedding rows read since the file's pages were released
        self.native_config = _native_config(self.config, threads)
        self._native = _native_decoder(file, self.config, self.weights, self.native_config)
        self.cache = PrefixTree(
            _pool(self._native.page_halves, cache_tokens + tail_tokens, kept_bytes)
        )
        self.context_length = min(self.config.context_length, cache_tokens - 2 * PAGE)

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
        Where a sequence gets more than EXACT_ROWS tokens, the batch runs in steps of at most 512
        tokens; otherwise in steps of at most EXACT_ROWS, so that no bit depends on what else is in
        the batch. Raises Cancelled (completed steps stay in the sequences), MidlineError when the
        context is full, CacheFull.
        """
        for sequence, tokens in batch:
            if len(sequence.tokens) + len(tokens) > self.context_length:
                raise MidlineError(f"the context of {self.context_length} tokens is full")
        total = sum(len(tokens) for _, tokens in batch)
        count = {"none": 0, "last": len(batch), "all": total}[logits]
        out = np.empty((count, self.config.vocab), np.float32)
        done = 0
        for step in _steps(batch):
            rows = _wanted_rows(step, logits)
            if cancel is not None and cancel.is_set():
                raise Cancelled
            self._step(step, rows, out[done : done + len(rows)], options, cancel)
            done += len(rows)
        return out

    def thresholds(self, profile: Profile) -> kernels.Thresholds:
        """Thresholds of a profile for StepOptions; raises ProfileError for another model's."""
        if profile not in self._thresholds:
            self._thresholds[profile] = native_thresholds(
                profile, self.file, self.config, self.native_config
            )
        return self._thresholds[profile]

    def activations(
        self, sequence: Sequence, tokens: Ids[int], options: StepOptions = DEFAULTS
    ) -> NDArray[np.float32]:
        """Appends up to 256 tokens to `sequence` and returns the inputs of all matrices.

        float32 [tokens, layers, channels of qkv | out | gate_up | down]; dropped entries are 0.
        """
        shape = (len(tokens), self.config.layers, self._native.inputs_per_layer)
        inputs = np.empty((shape[0], shape[1] * shape[2]), np.float32)
        nothing = np.empty((0, self.config.vocab), np.float32)
        self._step([(sequence, tokens, True)], [], nothing, options, None, inputs)
        return inputs.reshape(shape)

    def time_products(
        self, inputs: Ids[NDArray[np.float32]], thresholds: kernels.Thresholds | None, rounds: int
    ) -> list[float]:
        """Seconds that all layers' one-row products take: of qkv, out, gate_up and down.

        inputs: float32 [channels] of each of the four; thresholds: None for dense products.
        """
        return list(self._native.time_products(tuple(inputs), thresholds, rounds))

    def step_logits(
        self, sequence: Sequence, tokens: Ids[int], rows: list[int], options: StepOptions
    ) -> Logits:
        """Appends up to 256 tokens in one native step; logits of `rows`, float32 [rows, vocab]."""
        out = np.empty((len(rows), self.config.vocab), np.float32)
        self._step([(sequence, tokens, True)], rows, out, options, None)
        return out

    def _step(
        self,
        step: list[tuple[Sequence, Ids[int], bool]],
        rows: list[int],
        out: Logits,
        options: StepOptions,
        cancel: Cancellation | None,
        matrix_inputs: NDArray[np.float32] | None = None,
    ) -> None:
        flag = cancel if isinstance(cancel, kernels.CancelFlag) else None
        more: dict[str, Any] = {}
        if options.thresholds is not None:
            starts = [sequence.sparse_from for sequence, _, _ in step]
            more = {"thresholds": options.thresholds, "sparse_from": starts}
        if matrix_inputs is not None:
            more["matrix_inputs"] = matrix_inputs
        segments = []
        for sequence, tokens, _ in step:
            self.cache.extend(sequence, len(tokens))
            pages = np.asarray(sequence.pages, np.int32)
            segments.append((len(sequence.tokens), len(tokens), pages))
        ids = np.asarray([t for _, tokens, _ in step for t in tokens], np.int32)
        if not self._native.run(
            self.cache.pool.data, ids, segments, rows, out, options.exact,
            options.float_activations, flag, **more,
        ):  # fmt: skip
            raise Cancelled
        for sequence, tokens, _ in step:
            sequence.tokens.extend(tokens)
        self._touched += len(ids)
        if self._touched >= _RELEASE_ROWS:
            self.file.release_pages()
            self._touched = 0


def _steps(
    batch: Ids[tuple[Sequence, Ids[int]]],
) -> list[list[tuple[Sequence, Ids[int], bool]]]:
    """The batch in native steps; the flag marks the piece with a sequence's last token."""
    steps: list[list[tuple[Sequence, Ids[int], bool]]] = [[]]
    is_prompt = any(len(tokens) > EXACT_ROWS for _, tokens in batch)
    room = most = kernels.MAX_ROWS if is_prompt else EXACT_ROWS
    for sequence, tokens in batch:
        at = 0
        while at < len(tokens):
            if room == 0:
                steps.append([])
                room = most
            piece = tokens[at : at + room]
            at += len(piece)
            room -= len(piece)
            steps[-1].append((sequence, piece, at == len(tokens)))
    return [step for step in steps if step]


def _wanted_rows(step: list[tuple[Sequence, Ids[int], bool]], logits: str) -> list[int]:
    rows: list[int] = []
    at = 0
    for _, tokens, last in step:
        if logits == "all":
            rows.extend(range(at, at + len(tokens)))
        elif logits == "last" and last:
            rows.append(at + len(tokens) - 1)
        at += len(tokens)
    return rows


def _pool(page_halves: int, tokens: int, kept_bytes: int | None) -> PagePool:
    most = None
    if kept_bytes is not None:
        most = max(kept_bytes // (2 * page_halves), LEAST_KEPT_TOKENS // PAGE)
    try:
        return PagePool(page_halves, -(-tokens // PAGE), most)
    except MemoryError:
        raise MidlineError(
            f"there is no memory for the keys and values of {tokens} tokens; "
            "ask for fewer samples or fewer tokens"
        ) from None


def _native_config(c: ModelConfig, threads: int) -> kernels.DecoderConfig:
    return kernels.DecoderConfig(
        layers=c.layers, width=c.width, heads=c.heads, kv_heads=c.kv_heads, head_dim=c.head_dim,
        hidden=c.hidden, vocab=c.vocab, eps=c.eps, rope_base=c.rope_base,
        rope_interleaved=c.rope_interleaved, threads=threads,
    )  # fmt: skip


def _native_decoder(
    file: GGUFFile, c: ModelConfig, weights: PackedWeights, config: kernels.DecoderConfig
) -> kernels.Decoder:
    embedding = file.tensors["token_embd.weight"]
    return kernels.Decoder(
        config,
        [_native_layer(file, c, weights, i) for i in range(c.layers)],
        _vector(file, "output_norm.weight", c.width),
        weights.matrix("head"),
        weights.data("head"),
        weights.data("screen"),
        int(embedding.type),
        file.data("token_embd.weight"),
    )


def _native_layer(file: GGUFFile, c: ModelConfig, weights: PackedWeights, i: int) -> kernels.Layer:
    return kernels.Layer(
        qkv=weights.matrix(f"{i}.qkv"),
        out=weights.matrix(f"{i}.out"),
        gate_up=weights.matrix(f"{i}.gate_up"),
        down=weights.matrix(f"{i}.down"),
        qkv_data=weights.data(f"{i}.qkv"),
        out_data=weights.data(f"{i}.out"),
        gate_up_data=weights.data(f"{i}.gate_up"),
        down_data=weights.data(f"{i}.down"),
        attention_norm=_vector(file, f"blk.{i}.attn_norm.weight", c.width),
        ffn_norm=_vector(file, f"blk.{i}.ffn_norm.weight", c.width),
        qkv_bias=_fused_bias(file, c, i),
    )


def _fused_bias(file: GGUFFile, c: ModelConfig, i: int) -> NDArray[np.float32]:
    """Q, K and V biases, each padded to whole units, float32 [n]; [0] for a model without."""
    lengths = {
        "q": c.heads * c.head_dim,
        "k": c.kv_heads * c.head_dim,
        "v": c.kv_heads * c.head_dim,
    }
    if not any(f"blk.{i}.attn_{part}.bias" in file.tensors for part in lengths):
        return np.empty(0, np.float32)
    pieces = []
    for part, length in lengths.items():
        pieces.append(_vector(file, f"blk.{i}.attn_{part}.bias", length))
        pieces.append(np.zeros(-length % kernels.UNIT, np.float32))
    return np.concatenate(pieces)


def _vector(file: GGUFFile, name: str, length: int) -> NDArray[np.float32]:
    info = file.tensors.get(name)
    if info is None or info.shape != (length,) or info.type not in SUPPORTED:
        raise ModelFileError(f"{file.path} has no tensor {name} of {length} numbers; pull it again")
    values = np.ascontiguousarray(dequantize(info.type, file.data(name), info.shape), np.float32)
    if not np.isfinite(values).all():
        raise ModelFileError(f"{file.path} is damaged: {name} is not all numbers; pull it again")
    return values
