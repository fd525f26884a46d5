"""True containment, equal numbers of tokens, and the crops with the answer."""

import pytest
import torch

from midline.benchmarks.quality.zoom.arms import (
    CROPS_ENCODED,
    TOKENS,
    best_of,
    inside,
    oracle,
    raster_slice,
    tokens_of,
)
from midline.benchmarks.quality.zoom.screens import CROP, GRID, SIDE


@pytest.mark.parametrize("region", range(4))
def test_candidates_lie_within_their_region(region: int) -> None:
    row, column = divmod(region, 2)
    for number in inside(region):
        top, left = number // GRID * CROP, number % GRID * CROP
        assert row * SIDE // 2 <= top and top + CROP <= (row + 1) * SIDE // 2
        assert column * SIDE // 2 <= left and left + CROP <= (column + 1) * SIDE // 2


def test_regions_share_no_candidate_and_leave_none_out() -> None:
    assert sorted(n for region in range(4) for n in inside(region)) == list(range(GRID * GRID))


def test_slices_in_raster_order_are_not_contained() -> None:
    shared = [len(set(inside(region)) & set(raster_slice(region))) for region in range(4)]
    assert max(shared) < len(inside(0))


@pytest.mark.parametrize("arm", CROPS_ENCODED)
def test_every_arm_has_as_many_tokens(arm: str) -> None:
    tokens, places = tokens_of(arm, torch.randn(41, 36, 96), [0, 1, 2, 3])
    assert tokens.shape == (TOKENS, 96) and places.shape == (TOKENS, 4)
    assert bool((places >= 0).all() and (places <= 1).all())


def test_the_candidate_most_like_its_region_is_chosen() -> None:
    features = torch.zeros(41, 36, 96)
    features[1:5, :, 0] = 1
    wanted = [inside(region)[4] for region in range(4)]
    for number in wanted:
        features[5 + number, :, 0] = 1
    assert best_of(features, inside) == wanted


def test_the_oracle_takes_the_crops_with_the_marked_digits() -> None:
    assert oracle([(0, 0), (2, 3), (9, 17), (17, 17)]) == [0, 1, 3 * GRID + 5, GRID * GRID - 1]
