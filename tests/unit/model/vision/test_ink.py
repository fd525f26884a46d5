"""What stands out, by tiles of any ground, and how much of it is red."""

import numpy as np
import pytest

from midline.model.vision.ink import TILE_COLUMNS, TILE_ROWS, ink_of, redness_of


@pytest.mark.parametrize("shape", [(10, 20), (TILE_ROWS, TILE_COLUMNS), (70, 131)])
def test_ink_is_the_channel_furthest_from_the_ground(shape: tuple[int, int]) -> None:
    picture = np.full((*shape, 3), (30, 40, 50), np.uint8)
    picture[5, 7] = (30, 240, 40)
    ink = ink_of(picture)
    assert ink.shape == shape
    assert ink[5, 7] == pytest.approx(200 / 255)
    assert np.count_nonzero(ink) == 1


def test_each_tile_has_its_own_ground() -> None:
    picture = np.zeros((2 * TILE_ROWS, TILE_COLUMNS, 3), np.uint8)
    picture[TILE_ROWS:] = 255
    picture[3, 3], picture[TILE_ROWS + 3, 3] = 255, 0
    assert {tuple(map(int, at)) for at in np.argwhere(ink_of(picture))} == {
        (3, 3),
        (TILE_ROWS + 3, 3),
    }


def test_the_share_of_red_ink() -> None:
    picture = np.zeros((40, 40, 3), np.uint8)
    picture[:4] = (220, 40, 40)
    picture[4:16] = (200, 200, 200)
    ink = (picture.max(axis=2) > 0).astype(np.float32)
    assert redness_of(picture, ink) == pytest.approx(0.25)
    assert redness_of(picture, np.zeros_like(ink)) == 0
