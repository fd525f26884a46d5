"""Column norms of the weights, which scale the thresholds of weighted TEAL profiles.

Computed from the model file once (about a second for each GB and thread) and kept in the folder of
packed weights, keyed by the model's hash.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import xxhash
from numpy.typing import NDArray

from midline import kernels
from midline.model.atomic_write import atomic_write
from midline.model.paths import packed_folder
from midline.model.threads import thread_count
from midline.model.weights.cache_files import read_cache_file
from midline.model.weights.config import ModelConfig
from midline.model.weights.gguf import GGUFFile
from midline.model.weights.packed import model_hash

log = logging.getLogger(__name__)

_JOB_ROWS = 1024
_TENSORS = (
    ("attn_q", "attn_k", "attn_v"),
    ("attn_output",),
    ("ffn_gate", "ffn_up"),
    ("ffn_down",),
)
"""The tensors that are multiplied with each of a layer's four inputs."""


def column_norms(file: GGUFFile, config: ModelConfig) -> NDArray[np.float32]:
    """float32 [layers, channels of qkv | out | gate_up | down], relative to each matrix's mean.

    The norm of a channel is that of its column in all tensors that read it; the root mean square
    over a matrix's channels is 1.
    """
    width = 2 * config.width + config.heads * config.head_dim + config.hidden
    path = packed_folder() / f"{model_hash(file.path)[:32]}.norms"
    known = _read(path, config.layers * width)
    if known is None:
        known = _compute(file, config).reshape(-1)
        _write(path, known)
    return known.reshape(config.layers, width)


def _read(path: Path, count: int) -> NDArray[np.float32] | None:
    """The norms in the file; None unless it holds `count` of them, followed by their XXH3-64."""
    try:
        data = read_cache_file(path, 4 * count + 9)
    except OSError:
        return None
    norms, checksum = data[: 4 * count], data[4 * count :]
    if checksum != xxhash.xxh3_64_digest(norms):
        return None
    return np.frombuffer(norms, "<f4").copy()


def _write(path: Path, norms: NDArray[np.float32]) -> None:
    data = norms.astype("<f4").tobytes()
    try:
        atomic_write(path, data, xxhash.xxh3_64_digest(data))
    except OSError as error:
        log.warning("%s could not be written (%s); it is computed again next time", path, error)


def _compute(file: GGUFFile, config: ModelConfig) -> NDArray[np.float32]:
    jobs = [(i, tensors) for i in range(config.layers) for tensors in _TENSORS]
    with ThreadPoolExecutor(thread_count(None)) as pool:
        norms = list(pool.map(lambda job: _norms_of(file, *job), jobs))
    rows = [np.concatenate(norms[i : i + 4]) for i in range(0, len(norms), 4)]
    return np.stack(rows)


def _norms_of(file: GGUFFile, layer: int, tensors: tuple[str, ...]) -> NDArray[np.float32]:
    inputs = file.tensors[f"blk.{layer}.{tensors[0]}.weight"].shape[1]
    squares = np.zeros(inputs)
    for tensor in tensors:
        name = f"blk.{layer}.{tensor}.weight"
        info, data = file.tensors[name], file.data(name)
        row = info.nbytes // info.shape[0]
        for first in range(0, info.shape[0], _JOB_ROWS):
            count = min(_JOB_ROWS, info.shape[0] - first)
            piece = data[first * row : (first + count) * row]
            kernels.add_column_squares(int(info.type), inputs, piece, count, squares)
    mean = squares.mean()
    return np.sqrt(squares / mean if mean > 0 else squares).astype(np.float32)
