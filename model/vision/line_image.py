"""A text line as the recognizer takes it: its ink, at one height, with its baseline in place.

The height of a small letter decides the scale: it is what every line of text has, and what type of
any size is recognized by. Enlarging small type is the closest step of zooming in.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HEIGHT = 24
X_HEIGHT = 9.0
"""Rows of a letter `x` in a line image."""
BASELINE = 17.5
"""Rows above the baseline."""
STRIDE = 2
"""Columns of a line image for one column of the recognizer's answer."""
_CONTRAST_COLUMNS = 25
_LEAST_CONTRAST = 0.12

Ink = NDArray[np.float32]


@dataclass(frozen=True)
class LineBox:
    """Where a line is, in pixels of the picture: its ends, its baseline, the height of an `x`."""

    left: float
    right: float
    baseline: float
    x_height: float

    @property
    def zoom(self) -> float:
        """Rows of the line image for one row of the picture."""
        return X_HEIGHT / self.x_height

    @property
    def top(self) -> float:
        """The first row that is read."""
        return self.baseline - BASELINE / self.zoom

    @property
    def bottom(self) -> float:
        """The row after the last one that is read."""
        return self.top + HEIGHT / self.zoom


def line_image(ink: Ink, box: LineBox) -> Ink:
    """The line at `box` of a picture's ink, [rows, columns] in 0 .. 1, as [HEIGHT, width].

    What lies outside the picture counts as background.
    """
    rows, columns = ink.shape
    top, bottom = int(np.floor(box.top)) - 3, int(np.ceil(box.bottom)) + 3
    left, right = int(np.floor(box.left)) - 3, int(np.ceil(box.right)) + 3
    part = ink[max(top, 0) : max(bottom, 0), max(left, 0) : max(right, 0)]
    part = np.pad(
        part,
        (
            (max(-top, 0), max(bottom - max(rows, 0), 0)),
            (max(-left, 0), max(right - max(columns, 0), 0)),
        ),
    )
    width = max(round((box.right - box.left) * box.zoom), STRIDE)
    area = (box.left - left, box.top - top, box.right - left, box.bottom - top)
    scaled = Image.fromarray(part).resize((width, HEIGHT), Image.Resampling.BICUBIC, box=area)
    return even_contrast(np.clip(np.asarray(scaled, np.float32), 0, 1))


def even_contrast(image: Ink) -> Ink:
    """The image with faint characters as dark as the others."""
    peaks = image.max(axis=0)
    half = _CONTRAST_COLUMNS // 2
    padded = np.pad(peaks, half)
    windows = np.lib.stride_tricks.sliding_window_view(padded, _CONTRAST_COLUMNS)
    return np.asarray(image / np.maximum(windows.max(axis=1), _LEAST_CONTRAST), np.float32)
