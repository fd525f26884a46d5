"""Thresholds as the kernels read them: one for each channel of each input of each layer."""

import numpy as np
from numpy.typing import NDArray

from midline import kernels
from midline.model.teal.column_norms import column_norms
from midline.model.teal.profile import SENTENCE_END, Profile, ProfileError
from midline.model.weights.config import ModelConfig
from midline.model.weights.gguf import GGUFFile


def input_widths(config: ModelConfig) -> tuple[int, int, int, int]:
    """Channels of a layer's four inputs, in the order of `profile.INPUTS`."""
    return config.width, config.heads * config.head_dim, config.width, config.hidden


def native_thresholds(
    profile: Profile, file: GGUFFile, config: ModelConfig, native: kernels.DecoderConfig
) -> kernels.Thresholds:
    """Thresholds of a profile for the decoder, float32 [channels] for each input of each layer.

    Raises ProfileError if the profile is of a model with another number of layers. Column norms are
    computed at their first use and kept beside the packed weights.
    """
    if len(profile.thresholds) != config.layers:
        raise ProfileError(
            f"the profile of {profile.model} has {len(profile.thresholds)} layers and the model "
            f"{config.layers}; {SENTENCE_END}"
        )
    widths = input_widths(config)
    weighted = profile.criterion == "weighted"
    norms = column_norms(file, config) if weighted else None
    layers = []
    for i, row in enumerate(profile.thresholds):
        borders = np.cumsum([0, *widths])
        of_layer = None if norms is None else np.split(norms[i], borders[1:-1])
        qkv, out, gate_up, down = (
            per_channel(threshold, width, None if of_layer is None else of_layer[j])
            for j, (threshold, width) in enumerate(zip(row, widths, strict=True))
        )
        layers.append((qkv, out, gate_up, down))
    return kernels.Thresholds(native, layers)


def per_channel(
    threshold: float | None, width: int, norms: NDArray[np.float32] | None
) -> NDArray[np.float32]:
    """`threshold` divided by each column's norm, float32 [width]; [0] for a dense matrix.

    A column of zeros is always skipped.
    """
    if threshold is None:
        return np.empty(0, np.float32)
    if norms is None:
        return np.full(width, threshold, np.float32)
    most = np.float64(np.finfo(np.float32).max)
    with np.errstate(divide="ignore", invalid="ignore"):
        each = np.where(norms > 0, threshold / norms.astype(np.float64), most)
    return np.minimum(each, most).astype(np.float32)
