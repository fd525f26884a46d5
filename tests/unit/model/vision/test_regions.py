"""Panes: beside and below each other, parted by a thin rule, and in a window within a screen."""

import numpy as np

from midline.model.vision.opening import Picture
from midline.model.vision.regions import Region, find_regions


def screen(ground: int = 30) -> Picture:
    return np.full((800, 1000, 3), ground, np.uint8)


def written(picture: Picture, region: Region, ink: int = 220) -> None:
    """Rows of short strokes, as text has them, in a region."""
    rng = np.random.default_rng(region.top)
    for y in range(region.top + 8, region.bottom - 12, 18):
        for x in range(region.left + 8, region.right - 60, 9):
            if rng.random() < 0.7:
                picture[y : y + 9, x : x + 2] = ink


def test_a_thin_rule_parts_panes_of_one_ground() -> None:
    picture = screen()
    written(picture, Region(0, 0, 1000, 300))
    written(picture, Region(0, 420, 1000, 800))
    picture[400] = 90
    tops = [(region.top, region.bottom) for region in find_regions(picture)]
    assert len(tops) == 2
    assert tops[0][1] <= 401 <= tops[1][0]


def test_the_highlight_of_a_line_parts_nothing() -> None:
    picture = screen()
    written(picture, Region(0, 0, 1000, 800))
    picture[206:222] = np.maximum(picture[206:222], 60)
    assert len(find_regions(picture)) == 1


def test_a_window_within_the_screen_is_a_pane() -> None:
    picture = screen(0)
    picture[40:520, 100:700] = 40
    written(picture, Region(100, 40, 700, 520))
    assert Region(100, 40, 700, 520) in find_regions(picture)


def test_panes_beside_each_other_are_parted_by_their_edge() -> None:
    picture = screen()
    picture[:, 400:] = 50
    written(picture, Region(0, 0, 400, 800))
    written(picture, Region(400, 0, 1000, 800))
    assert [(r.left, r.right) for r in find_regions(picture)] == [(0, 400), (400, 1000)]
