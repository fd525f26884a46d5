"""What stands out from its ground, whatever the colours: dark on light, light on dark, or both."""

import numpy as np
from numpy.typing import NDArray

from midline.model.vision.opening import Picture

TILE_ROWS, TILE_COLUMNS = 32, 48
Ink = NDArray[np.float32]


def _padded(picture: Picture) -> Picture:
    """The picture in whole tiles, its last row and column repeated."""
    rows, columns = picture.shape[:2]
    beyond = ((0, -rows % TILE_ROWS), (0, -columns % TILE_COLUMNS), (0, 0))
    return np.pad(picture, beyond, "edge")


def _tile_grounds(padded: Picture) -> Picture:
    """The ground's colour in each tile: the median of a quarter of its pixels."""
    down, across = padded.shape[0] // TILE_ROWS, padded.shape[1] // TILE_COLUMNS
    tiles = padded[::2, ::2].reshape(down, TILE_ROWS // 2, across, TILE_COLUMNS // 2, 3)
    flat = tiles.transpose(0, 2, 4, 1, 3).reshape(down, across, 3, -1)
    middle = flat.shape[-1] // 2
    return np.asarray(np.partition(flat, middle, axis=-1)[..., middle])


def ink_of(picture: Picture) -> Ink:
    """How far each pixel is from its ground, 0 to 1, by the channel that differs most."""
    padded = _padded(picture)
    grounds = _tile_grounds(padded).repeat(TILE_COLUMNS, 1)
    down = len(grounds)
    rows, ground = padded.reshape(down, TILE_ROWS, -1), grounds.reshape(down, 1, -1)
    difference = np.maximum(rows, ground)
    difference -= np.minimum(rows, ground)
    furthest = most_of_channels(difference.reshape(padded.shape))
    kept = furthest[: picture.shape[0], : picture.shape[1]]
    return np.asarray(kept, np.float32) / np.float32(255)


def most_of_channels(difference: Picture) -> NDArray[np.uint8]:
    """The largest of the three channels at each pixel."""
    furthest = np.maximum(difference[..., 0], difference[..., 1])
    return np.maximum(furthest, difference[..., 2], out=furthest)


def redness_of(picture: Picture, ink: Ink) -> float:
    """The share of ink that is red, of a quarter of the pixels: how error messages are often
    coloured."""
    inked = ink[::2, ::2] > 0.25
    red, green, blue = picture[::2, ::2][inked].astype(np.int16).T
    if len(red) == 0:
        return 0.0
    return float(((red > 130) & (red - green > 60) & (red - blue > 40)).mean())
