"""True containment, equal numbers of tokens, and the crops that are selected."""

from dataclasses import replace

import pytest
import torch

from midline.benchmarks.quality.zoom.arms import (
    CROPS_ENCODED,
    HIGH,
    Features,
    arm_tokens,
    at_random,
    chosen_crops,
    inside,
    most_alike,
    pointed_at,
    raster_slice,
    shown,
)
from midline.benchmarks.quality.zoom.network import SLOTS, WIDTH
from midline.benchmarks.quality.zoom.screens import QUARTERS, SIDE

SIZE = SIDE / HIGH


@pytest.fixture
def features() -> Features:
    torch.manual_seed(0)
    shapes = {
        "low": (1, 36), "low_pooled": (1, 9), "middle": (4, 12), "middle_pooled": (4, 3),
        "high": (36, 9), "native": (16, 3),
    }  # fmt: skip
    tokens = {name: torch.randn(2, *shape, WIDTH).half() for name, shape in shapes.items()}
    truth = torch.tensor([[0, 5, 30, 35], [14, 15, 20, 21]])
    return Features(seen=torch.zeros(2, QUARTERS, 36), truth=truth, **tokens)


@pytest.mark.parametrize("region", range(QUARTERS))
def test_candidates_lie_within_their_region(region: int) -> None:
    row, column = divmod(region, 2)
    for number in inside(region):
        top, left = number // HIGH * SIZE, number % HIGH * SIZE
        assert row * SIDE / 2 <= top and top + SIZE <= (row + 1) * SIDE / 2
        assert column * SIDE / 2 <= left and left + SIZE <= (column + 1) * SIDE / 2


def test_regions_share_no_candidate_and_leave_none_out() -> None:
    assert sorted(n for region in range(QUARTERS) for n in inside(region)) == list(range(HIGH**2))


def test_slices_in_raster_order_are_not_contained() -> None:
    shared = [len(set(inside(r)) & set(raster_slice(r))) for r in range(QUARTERS)]
    assert max(shared) < len(inside(0))


@pytest.mark.parametrize("arm", CROPS_ENCODED)
def test_every_arm_has_as_many_tokens(arm: str, features: Features) -> None:
    tokens, places = arm_tokens(arm, features)
    assert tokens.shape == (2, SLOTS, WIDTH) and places.shape == (2, SLOTS, 3)
    assert bool((places > 0).all() and (places <= 1).all())


def test_tokens_of_selected_crops_are_those_of_their_places(features: Features) -> None:
    tokens, places = arm_tokens("oracle k", features)
    number = int(features.truth[1, 3])
    last = slice(SLOTS - 9, SLOTS)
    assert torch.equal(tokens[1, last], features.high[1, number])
    middle = places[1, last, :2].mean(dim=0) * HIGH
    assert middle.tolist() == pytest.approx([number % HIGH + 0.5, number // HIGH + 0.5])


def test_the_candidate_most_like_its_region_is_chosen(features: Features) -> None:
    high, middle = torch.zeros_like(features.high), torch.zeros_like(features.middle_pooled)
    wanted = [inside(region)[4] for region in range(QUARTERS)]
    middle[..., 0] = 1
    high[:, wanted, :, 0] = 1
    alike = replace(features, high=high, middle_pooled=middle)
    assert most_alike(alike, inside).tolist() == [wanted, wanted]


def test_the_middle_step_points_at_the_crop_under_its_token(features: Features) -> None:
    features.seen[0, 1, 6 * 5 + 4] = 1  # of a quarter of 6 x 6 tokens and 3 x 3 crops
    assert int(pointed_at(features)[0, 1]) == inside(1)[8]


def test_random_crops_lie_within_their_region_and_are_the_same_again(features: Features) -> None:
    chosen = at_random(features)
    assert torch.equal(chosen, at_random(features))
    assert all(int(chosen[n, r]) in inside(r) for n in range(2) for r in range(QUARTERS))


def test_the_oracle_takes_the_crops_with_the_codes(features: Features) -> None:
    chosen = chosen_crops("oracle k", features)
    assert chosen is not None and torch.equal(chosen, features.truth)


def test_a_code_is_shown_in_the_crop_of_another_region_too() -> None:
    chosen, truth = torch.tensor([[5, 0, 30, 30]]), torch.tensor([[0, 5, 30, 35]])
    assert shown(chosen, truth) == 0.75
