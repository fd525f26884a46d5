"""Small screens with a code of two digits in each quarter, the resolutions they are seen at, and
what is to be read.
"""

import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

SIDE = 192
CROP = 48
STEPS = {"low": 1, "middle": 2, "high": 6, "native": 4}
"""Crops along a side of the screen. `native` has the screen's own pixels; `high` is enlarged."""
QUARTERS = 4
DIGITS = "0123456789"
CODE = 2
"""Digits of a code."""
NONE = len(DIGITS)
"""The label of a crop without a code."""
CODE_WIDTH, CODE_HEIGHT = 14, 10
SIDE_TOKENS = 6
_TYPE = 10
_NOISE = 0.08
_CLUTTER = 4
_HALF = SIDE // 2

Pixels = NDArray[np.float32]


@dataclass(frozen=True)
class Screen:
    """pixels: [SIDE, SIDE] in about 0 .. 1. codes: the digits of each quarter, in raster order.

    corners: left and top of each code's box, of CODE_WIDTH x CODE_HEIGHT pixels.
    """

    pixels: Pixels
    codes: tuple[tuple[int, ...], ...]
    corners: tuple[tuple[int, int], ...]


def draw_screen(rng: random.Random, fonts: list[Path]) -> Screen:
    """Shapes of several kinds, and in each quarter a code in small type."""
    image = Image.new("L", (SIDE, SIDE))
    pen = ImageDraw.Draw(image)
    font = _font(rng.choice(fonts))
    codes, corners = [], []
    for quarter in range(QUARTERS):
        left, top = quarter % 2 * _HALF, quarter // 2 * _HALF
        for _ in range(_CLUTTER):
            _shape(rng, pen, left, top)
        x, y = left + _offset(rng, CODE_WIDTH), top + _offset(rng, CODE_HEIGHT)
        pen.rectangle((x - 1, y - 1, x + CODE_WIDTH, y + CODE_HEIGHT), fill=0)
        code = tuple(rng.randrange(len(DIGITS)) for _ in range(CODE))
        text = "".join(DIGITS[digit] for digit in code)
        middle = (x + CODE_WIDTH // 2, y + CODE_HEIGHT // 2)
        pen.text(middle, text, rng.randint(190, 255), font, anchor="mm")
        codes.append(code)
        corners.append((x, y))
    noise = np.random.default_rng(rng.randrange(2**32)).normal(0, _NOISE, (SIDE, SIDE))
    pixels = np.asarray(image, np.float32) / 255 + noise
    return Screen(pixels.astype(np.float32), tuple(codes), tuple(corners))


@cache
def _font(path: Path) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(path, _TYPE, layout_engine=ImageFont.Layout.BASIC)


def _offset(rng: random.Random, size: int) -> int:
    """Where a box begins in its quarter so that no crop of any step cuts it."""
    return rng.choice([at for at in range(1, _HALF - size) if not _is_cut(at - 1, size + 2)])


def _is_cut(start: int, size: int) -> bool:
    crops = [SIDE // count for count in STEPS.values()]
    return any(start // crop != (start + size - 1) // crop for crop in crops)


def _shape(rng: random.Random, pen: ImageDraw.ImageDraw, left: int, top: int) -> None:
    width, height = rng.randint(6, 40), rng.randint(4, 24)
    x, y = left + rng.randint(0, _HALF - width), top + rng.randint(0, _HALF - height)
    box, light = (x, y, x + width - 1, y + height - 1), rng.randint(60, 255)
    kind = rng.randrange(4)
    if kind == 0:
        pen.rectangle(box, outline=light)
    elif kind == 1:
        pen.ellipse(box, outline=light)
    elif kind == 2:
        pen.rectangle(box, fill=light // 2)
    else:
        pen.line(box, fill=light, width=1)


def resized(pixels: Pixels, side: int) -> Pixels:
    """The screen as a square of `side` pixels, by means where it is reduced."""
    way = Image.Resampling.BOX if side < pixels.shape[0] else Image.Resampling.BICUBIC
    return np.asarray(Image.fromarray(pixels).resize((side, side), way), np.float32)


def crops(pixels: Pixels, step: str) -> Pixels:
    """The crops of a screen at a step [count, CROP, CROP], in raster order."""
    count = STEPS[step]
    scaled = pixels if count * CROP == SIDE else resized(pixels, count * CROP)
    parts = scaled.reshape(count, CROP, count, CROP).transpose(0, 2, 1, 3)
    return np.ascontiguousarray(parts.reshape(-1, CROP, CROP))


def crop_with_code(screen: Screen, step: str) -> list[int]:
    """For each quarter the crop of a step that holds its code."""
    size = SIDE // STEPS[step]
    return [top // size * STEPS[step] + left // size for left, top in screen.corners]


def crop_labels(screen: Screen, step: str) -> NDArray[np.int64]:
    """The digits of the code in each crop of a step that has more crops than quarters hold,
    [crops, CODE], NONE where there is none."""
    labels = np.full((STEPS[step] ** 2, CODE), NONE, np.int64)
    for number, code in zip(crop_with_code(screen, step), screen.codes, strict=True):
        labels[number] = code
    return labels


def code_map(screen: Screen, step: str) -> NDArray[np.bool_]:
    """Which tokens of each crop of a step have a part of a code in them, [crops, tokens]."""
    crops_along = STEPS[step]
    along = crops_along * SIDE_TOKENS
    token = SIDE / along
    found = np.zeros((along, along), np.bool_)
    for left, top in screen.corners:
        rows = slice(int(top / token), int(-(-(top + CODE_HEIGHT) // token)))
        columns = slice(int(left / token), int(-(-(left + CODE_WIDTH) // token)))
        found[rows, columns] = True
    parts = found.reshape(crops_along, SIDE_TOKENS, crops_along, SIDE_TOKENS)
    return parts.transpose(0, 2, 1, 3).reshape(crops_along**2, -1)
