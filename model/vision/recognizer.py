"""The recognizer: which characters stand where in a line image.

A convolutional network names, for each second column, the character whose middle is there, or
none. It was trained on drawn lines (`midline-bench quality screenshots --train`) and is part of the
package; its SHA-256 is checked before it is used.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline.model.cancellation import Cancellation
from midline.model.errors import MidlineError
from midline.model.threads import thread_count
from midline.model.vision.alphabet import CHARACTERS
from midline.model.vision.line_image import HEIGHT, STRIDE, Ink
from midline.model.vision.opening import MissingVisionError

FILE = "recognizer.onnx"
SHA256 = "f5ccbd2ff93a7790c0981a6098c7f4fa40f468934b00fa43bdac30ac8ae189d9"
_SAME_FORM = "cosuvwxzCOSUVWXZ"
_ABOVE_X = slice(6, 8)
"""Rows of a line image that a capital reaches and an `x` does not."""
_ALIKE = 1.25
"""The widest line of a batch over its narrowest, at most."""
_BATCH_COLUMNS = 16_000
"""Columns of one run of the network, so that it can be stopped between two."""


@dataclass(frozen=True)
class Mark:
    """A character: the middle of its cell in columns of the line image, and how sure it is."""

    at: float
    character: str
    probability: float


class Recognizer:
    """The network in an ONNX session; `threads` compute one batch together."""

    def __init__(self, data: bytes, threads: int | None = None) -> None:
        try:
            import onnxruntime
        except ImportError as error:
            raise MissingVisionError() from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = thread_count(threads)
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        self._session: Any = onnxruntime.InferenceSession(
            data, options, providers=["CPUExecutionProvider"]
        )

    def read(self, images: Sequence[Ink], cancel: Cancellation | None = None) -> list[list[Mark]]:
        """The characters of each line image [HEIGHT, width], from left to right."""
        found: list[list[Mark]] = [[] for _ in images]
        for batch in _batches([image.shape[1] for image in images]):
            if cancel is not None and cancel.is_set():
                raise MidlineError("reading the picture was stopped")
            width = max(images[number].shape[1] for number in batch)
            lines = np.zeros((len(batch), HEIGHT, width + width % STRIDE), np.float32)
            for row, number in enumerate(batch):
                lines[row, :, : images[number].shape[1]] = images[number]
            logits = self._session.run(None, {"lines": lines})[0]
            for row, number in enumerate(batch):
                found[number] = settle_case(marks(logits[row]), images[number])
        return found


def _batches(widths: Sequence[int]) -> list[list[int]]:
    """Numbers of lines of like width, so that little of a batch is empty."""
    batches: list[list[int]] = []
    for number in sorted(range(len(widths)), key=lambda n: widths[n]):
        is_alike = batches and widths[number] <= _ALIKE * widths[batches[-1][0]]
        if is_alike and widths[number] * (len(batches[-1]) + 1) <= _BATCH_COLUMNS:
            batches[-1].append(number)
        else:
            batches.append([number])
    return batches


def marks(logits: NDArray[np.float32]) -> list[Mark]:
    """The characters in the logits [frames, classes] of a line."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
    probabilities = shifted / shifted.sum(axis=1, keepdims=True)
    present = 1 - probabilities[:, 0]
    found = []
    for start, end in _peaks(present):
        weights = present[start:end]
        kind = 1 + int(np.argmax(probabilities[start:end, 1:].sum(axis=0)))
        at = float((np.arange(start, end) * weights).sum() / weights.sum())
        sure = float(probabilities[start:end, kind].max())
        found.append(Mark((at + 0.5) * STRIDE, CHARACTERS[kind - 1], sure))
    return found


def settle_case(found: list[Mark], image: Ink) -> list[Mark]:
    """Letters whose capital has the same form, told by whether ink is above the height of an `x`.

    A small letter is made a capital, or the other way round, only between small letters: a word in
    capitals, whose height may have been taken for that of an `x`, stays as it is.
    """
    settled = list(found)
    for n, mark in enumerate(found):
        beside = [found[m].character for m in (n - 1, n + 1) if 0 <= m < len(found)]
        if mark.character in _SAME_FORM and any(c.islower() for c in beside):
            middle = round(mark.at)
            above = image[_ABOVE_X, max(middle - 3, 0) : middle + 4]
            is_tall = above.size > 0 and float(above.mean(axis=0).max()) > 0.35
            if mark.character.isupper() != is_tall and mark.probability < 0.95:
                settled[n] = replace(mark, character=mark.character.swapcase())
    return settled


def _peaks(present: NDArray[np.float32]) -> list[tuple[int, int]]:
    """Runs of frames with a character, each cut where it has two peaks."""
    flags = np.concatenate([[False], present > 0.4, [False]]).astype(np.int8)
    edges = np.flatnonzero(np.diff(flags))
    found: list[tuple[int, int]] = []
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        if end - start >= 5:
            inner = start + 1 + int(np.argmin(present[start + 1 : end - 1]))
            found += [(int(start), inner), (inner, int(end))]
        else:
            found.append((int(start), int(end)))
    return found


@cache
def load_recognizer(threads: int | None = None) -> Recognizer:
    """The recognizer of this installation; MidlineError if its file was altered."""
    data = (resources.files("midline.model.vision") / "data" / FILE).read_bytes()
    if hashlib.sha256(data).hexdigest() != SHA256:
        raise MidlineError(f"{FILE} of this installation is damaged; install Midline again")
    return Recognizer(data, threads)
