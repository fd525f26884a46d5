"""Codes that no crop cuts, and where each step has them."""

import random

import numpy as np
import pytest
from PIL import ImageFont

from midline.benchmarks.quality.zoom import screens
from midline.benchmarks.quality.zoom.screens import (
    CODE_HEIGHT,
    CODE_WIDTH,
    CROP,
    NONE,
    QUARTERS,
    SIDE,
    STEPS,
    Screen,
    code_map,
    crop_labels,
    crop_with_code,
    crops,
    draw_screen,
)


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Screen:
    monkeypatch.setattr(screens, "_font", lambda path: ImageFont.load_default(10))
    return draw_screen(random.Random(3), [tmp_path_factory.getbasetemp()])


@pytest.mark.parametrize("step", STEPS)
def test_no_crop_cuts_a_code(step: str, drawn: Screen) -> None:
    size = SIDE // STEPS[step]
    for left, top in drawn.corners:
        assert left // size == (left + CODE_WIDTH - 1) // size
        assert top // size == (top + CODE_HEIGHT - 1) // size


@pytest.mark.parametrize("step", STEPS)
def test_crops_of_every_step_are_of_one_size(step: str, drawn: Screen) -> None:
    assert crops(drawn.pixels, step).shape == (STEPS[step] ** 2, CROP, CROP)


def test_native_tiles_are_the_screen_as_it_is(drawn: Screen) -> None:
    tiles = crops(drawn.pixels, "native")
    assert np.array_equal(tiles[4 + 1], drawn.pixels[CROP : 2 * CROP, CROP : 2 * CROP])


@pytest.mark.parametrize("step", ["middle", "high", "native"])
def test_codes_are_the_labels_of_their_crops_alone(step: str, drawn: Screen) -> None:
    labels = crop_labels(drawn, step)
    numbers = crop_with_code(drawn, step)
    assert [tuple(labels[n]) for n in numbers] == list(drawn.codes)
    others = np.delete(labels, numbers, axis=0)
    assert len(numbers) == QUARTERS and bool((others == NONE).all())


@pytest.mark.parametrize("step", STEPS)
def test_the_map_is_of_the_crops_with_codes(step: str, drawn: Screen) -> None:
    found = np.flatnonzero(code_map(drawn, step).any(axis=1))
    assert set(found) == set(crop_with_code(drawn, step))


def test_a_code_is_brighter_than_the_ground_around_it(drawn: Screen) -> None:
    for left, top in drawn.corners:
        box = drawn.pixels[top : top + CODE_HEIGHT, left : left + CODE_WIDTH]
        assert box.max() > 0.5 and box.min() < 0.3
