"""Activations on calibration text, measured by the native engine."""

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midline.model.cancellation import Cancellation, Cancelled
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.teal.thresholds import input_widths
from midline.model.threads import thread_count

WINDOW = 256
SINKS = 16
"""First tokens of a window that are not counted (attention sinks)."""
EVERY = 8
"""Every n-th position is kept, since neighbouring positions are correlated."""
Inputs = tuple[NDArray[np.float32], ...]


def layer_inputs(
    model: Path, text: str, tokens: int, cancel: Cancellation | None = None
) -> Callable[[int], Inputs]:
    """The four inputs (qkv, out, gate_up, down) of any layer, float32 [kept tokens, channels].

    Windows of 256 tokens are spread over the text. Raises UsageError for a text shorter than one
    window, and Cancelled.
    """
    engine = NativeEngine.load(model, threads=thread_count(None))
    windows = _windows(engine.tokenizer.encode(text), tokens)
    pieces = []
    for window in windows:
        if cancel is not None and cancel.is_set():
            raise Cancelled
        sequence = engine.new_sequence()
        pieces.append(engine.decoder.activations(sequence, window)[SINKS::EVERY].copy())
        engine.release(sequence)
    found = np.concatenate(pieces)
    borders = np.cumsum([0, *input_widths(engine.config)])
    engine.close()

    def inputs(layer: int) -> Inputs:
        return tuple(found[:, layer, low:high] for low, high in pairwise(borders))

    return inputs


def _windows(ids: list[int], tokens: int) -> list[list[int]]:
    if len(ids) < WINDOW:
        raise UsageError(
            f"the calibration text has {len(ids)} tokens and {WINDOW} are needed; give more code"
        )
    count = max(1, min(tokens, len(ids)) // WINDOW)
    starts = np.linspace(0, len(ids) - WINDOW, count).astype(int)
    return [ids[start : start + WINDOW] for start in starts]
