"""What stands out from its ground, whatever the colours: dark on light, light on dark, or both."""

import numpy as np
from numpy.typing import NDArray

from midline.model.vision.opening import Picture

TILE_ROWS, TILE_COLUMNS = 32, 48
Ink = NDArray[np.float32]


def ground_of(picture: Picture) -> Picture:
    """The ground's colour at each pixel: the median of its tile, of a quarter of the pixels."""
    rows, columns = picture.shape[:2]
    down, across = -(-rows // TILE_ROWS), -(-columns // TILE_COLUMNS)
    padded = np.pad(
        picture,
        ((0, down * TILE_ROWS - rows), (0, across * TILE_COLUMNS - columns), (0, 0)),
        "edge",
    )[::2, ::2]
    tiles = padded.reshape(down, TILE_ROWS // 2, across, TILE_COLUMNS // 2, 3)
    flat = tiles.transpose(0, 2, 4, 1, 3).reshape(down, across, 3, -1)
    middle = flat.shape[-1] // 2
    medians = np.partition(flat, middle, axis=-1)[..., middle]
    whole = medians.repeat(TILE_ROWS, 0).repeat(TILE_COLUMNS, 1)
    return np.asarray(whole[:rows, :columns], np.uint8)


def ink_of(picture: Picture) -> Ink:
    """How far each pixel is from its ground, 0 to 1, by the channel that differs most."""
    ground = ground_of(picture)
    difference = np.maximum(picture, ground)
    difference -= np.minimum(picture, ground)
    furthest = np.maximum(difference[..., 0], difference[..., 1])
    np.maximum(furthest, difference[..., 2], out=furthest)
    return np.asarray(furthest, np.float32) / np.float32(255)


def redness_of(picture: Picture, ink: Ink) -> float:
    """The share of ink that is red: how error messages are often coloured."""
    inked = ink > 0.25
    total = int(inked.sum())
    if total == 0:
        return 0.0
    red, green, blue = (picture[..., channel].astype(np.int16) for channel in range(3))
    is_red = (red > 130) & (red - green > 60) & (red - blue > 40)
    return float((is_red & inked).sum() / total)
