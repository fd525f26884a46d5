"""Small screens full of digits, one of which is marked in each quarter, and what is to be read."""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 288
CROP = 48
GRID = SIDE // CROP
CELL = 16
"""Pixels of a digit's cell: a third of a crop's side."""
CELLS = SIDE // CELL
DIGITS = "0123456789"
QUARTERS = 4
CLASSES = 1 + 2 * len(DIGITS)
"""Of a cell: empty, a digit, or a digit that is marked."""
_FILLED = 0.6
_TYPE = 13


@dataclass(frozen=True)
class Screen:
    """pixels: [SIDE, SIDE] in 0 .. 1. cells: class of each cell [CELLS, CELLS].

    labels: the marked digit of each quarter, in raster order. places: its cell, as (row, column).
    """

    pixels: NDArray[np.float32]
    cells: NDArray[np.int64]
    labels: tuple[int, ...]
    places: list[tuple[int, int]]


def draw_screen(rng: random.Random, fonts: list[Path]) -> Screen:
    """Digits in most cells, and in each quarter a frame around one of them."""
    half = CELLS // 2
    digits = [
        [rng.randrange(10) if rng.random() < _FILLED else -1 for _ in range(CELLS)]
        for _ in range(CELLS)
    ]
    places, labels = [], []
    for quarter in range(QUARTERS):
        row = quarter // 2 * half + rng.randrange(half)
        column = quarter % 2 * half + rng.randrange(half)
        digits[row][column] = rng.randrange(10)
        places.append((row, column))
        labels.append(digits[row][column])
    cells = np.array(digits, np.int64) + 1
    for row, column in places:
        cells[row, column] += len(DIGITS)
    return Screen(_drawn(rng, digits, places, fonts), cells, tuple(labels), places)


@cache
def _font(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, _TYPE, layout_engine=ImageFont.Layout.BASIC)


def _drawn(
    rng: random.Random, digits: list[list[int]], places: list[tuple[int, int]], fonts: list[Path]
) -> NDArray[np.float32]:
    font = _font(rng.choice(fonts))
    image = Image.new("L", (SIDE, SIDE))
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(digits):
        for column, digit in enumerate(line):
            if digit >= 0:
                x = column * CELL + CELL // 2 + rng.randint(-1, 1)
                y = row * CELL + CELL // 2 + rng.randint(-1, 1)
                pen.text((x, y), DIGITS[digit], 220, font, anchor="mm")
    for row, column in places:
        left, top = column * CELL, row * CELL
        pen.rectangle((left, top, left + CELL - 1, top + CELL - 1), outline=255)
    return np.asarray(image, np.float32) / np.float32(255)


def resized(pixels: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """The screen reduced to a square of `side` pixels."""
    image = Image.fromarray(pixels).resize((side, side), Image.Resampling.BOX)
    return np.asarray(image, np.float32)


def crops(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """The crops of a square picture [count, CROP, CROP], in raster order."""
    count = pixels.shape[0] // CROP
    parts = pixels.reshape(count, CROP, count, CROP).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(parts.reshape(-1, CROP, CROP))


def ladder(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """All crops of a screen: 1 of the lowest step, 4 of the middle one, 36 as they are."""
    steps = [resized(pixels, CROP), resized(pixels, 2 * CROP), pixels]
    return np.concatenate([crops(step) for step in steps])
