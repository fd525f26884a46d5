"""Small screens with a traceback among other lines, and what is to be read in them."""

import random
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 288
CROP = 48
GRID = SIDE // CROP
COLUMN, ROW = 6, 12
"""Pixels of a character's cell."""
ALPHABET = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;()[]\"'/_=+-*"
_FILES = """
auth bill cart chat core data date disk edit feed file flow form game geo grid home hook http item
jobs json keys lang list load lock logs mail main math menu mesh news node page path pipe plan play
post race rank role rows sync task user view
"""
_EXCEPTIONS = """
Attribute Assertion Buffer EOF Import Index IO Key Lookup Memory Name OS Overflow Runtime Syntax
System Tab Type Value Unicode
"""
_KEYWORDS = """
def return self for in range if not None True import from as with open print len
"""
FILES = tuple(_FILES.split())
EXCEPTIONS = tuple(f"{name}Error" for name in _EXCEPTIONS.split())
_WORDS = _KEYWORDS.split()


@dataclass(frozen=True)
class Screen:
    """pixels: [SIDE, SIDE] in 0 .. 1. characters: class of the character in each cell, 0 for none.

    labels: exception, three digits of the line, file. places: cells that say so, as (row, column).
    """

    pixels: NDArray[np.float32]
    characters: NDArray[np.int64]
    labels: tuple[int, int, int, int, int]
    places: list[tuple[int, int]]


def draw_screen(rng: random.Random, fonts: list[Path]) -> Screen:
    """A screen with code, a traceback's last lines at a random place, and code again."""
    rows, columns = SIDE // ROW, SIDE // COLUMN
    lines = [_code(rng) for _ in range(rows)]
    file, exception, number = (
        rng.randrange(len(FILES)),
        rng.randrange(len(EXCEPTIONS)),
        rng.randint(100, 999),
    )
    top = rng.randint(0, rows - 4)
    left = " " * rng.randint(0, 12)
    lines[top] = f'{left}File "{FILES[file]}.py", line {number}'
    lines[top + 1] = f"{left}  {_code(rng)[:20].strip()}"
    lines[top + 2] = f"{left}{EXCEPTIONS[exception]}: {_code(rng).strip()[:12]}"
    lines = [line[:columns] for line in lines]
    at = len(left)
    places = [(top, c) for c in range(at + 6, at + 10)]
    places += [(top, c) for c in range(at + 20, at + 23)]
    places += [(top + 2, c) for c in range(at, at + 9)]
    digits = (number // 100, number // 10 % 10, number % 10)
    return Screen(_drawn(rng, lines, fonts), _classes(lines), (exception, *digits, file), places)


def _code(rng: random.Random) -> str:
    words = [
        rng.choice(_WORDS)
        if rng.random() < 0.5
        else "".join(rng.choices(ALPHABET, k=rng.randint(2, 8)))
        for _ in range(rng.randint(1, 6))
    ]
    return " " * rng.choice((0, 2, 4, 8)) + " ".join(words)


def _drawn(rng: random.Random, lines: list[str], fonts: list[Path]) -> NDArray[np.float32]:
    font = ImageFont.truetype(rng.choice(fonts), 10, layout_engine=ImageFont.Layout.BASIC)
    image = Image.new("L", (SIDE, SIDE))
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            if character != " ":
                pen.text((column * COLUMN, row * ROW + 10), character, 255, font, anchor="ls")
    return np.asarray(image, np.float32) / np.float32(255)


def _classes(lines: list[str]) -> NDArray[np.int64]:
    classes = np.zeros((SIDE // ROW, SIDE // COLUMN), np.int64)
    for row, line in enumerate(lines):
        for column, character in enumerate(line):
            classes[row, column] = 1 + ALPHABET.find(character) if character in ALPHABET else 0
    return classes


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
