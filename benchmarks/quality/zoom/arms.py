"""What the reader gets: eighty-one tokens in every arm, of crops chosen in different ways."""

from collections.abc import Callable
from typing import TypeAlias

import torch
from torch import Tensor

from midline.benchmarks.quality.zoom.network import SIDE_TOKENS, WIDTH
from midline.benchmarks.quality.zoom.screens import CELL, CROP, GRID

TOKENS = 81
MIDDLES = 4
_HALF = GRID // 2

Features: TypeAlias = Tensor
"""Of one screen: [41, 36, 96], the lowest step's crop, the middle step's, those of the screen."""


def inside(region: int) -> list[int]:
    """Crops of the screen, by raster number, that lie within a crop of the middle step."""
    row, column = divmod(region, 2)
    return [
        (row * _HALF + r) * GRID + column * _HALF + c for r in range(_HALF) for c in range(_HALF)
    ]


def raster_slice(region: int) -> list[int]:
    """The crops that the authors' code takes for a region: a run in raster order."""
    count = GRID * GRID // MIDDLES
    return list(range(region * count, (region + 1) * count))


def best_of(features: Features, candidates: Callable[[int], list[int]]) -> list[int]:
    """For each region the candidate whose mean token is most like the region's, by dot product."""
    means = features.mean(dim=1)
    chosen = []
    for region in range(MIDDLES):
        numbers = candidates(region)
        scores = means[[1 + MIDDLES + n for n in numbers]] @ means[1 + region]
        chosen.append(numbers[int(scores.argmax())])
    return chosen


def oracle(places: list[tuple[int, int]]) -> list[int]:
    """The crop of the screen that holds the marked cell, for each region."""
    return [row * CELL // CROP * GRID + column * CELL // CROP for row, column in places]


def _places(rows: int, columns: int, x: float, y: float, side: float) -> Tensor:
    ys, xs = torch.meshgrid(
        (torch.arange(rows) + 0.5) / rows * side + y,
        (torch.arange(columns) + 0.5) / columns * side + x,
        indexing="ij",
    )
    flat = torch.stack([xs.flatten(), ys.flatten()], dim=1)
    extra = torch.tensor([side, 1.0]).expand(len(flat), 2)
    return torch.cat([flat, extra], dim=1)


def _pooled(tokens: Tensor, rows: int, columns: int) -> Tensor:
    grid = tokens.T.reshape(1, WIDTH, SIDE_TOKENS, SIDE_TOKENS)
    pooled = torch.nn.functional.adaptive_avg_pool2d(grid, (rows, columns))
    return pooled.reshape(WIDTH, -1).T


def _step(
    features: Features, start: int, numbers: list[int], grid: int, shape: tuple[int, int]
) -> list[tuple[Tensor, Tensor]]:
    side = 1 / grid
    return [
        (
            _pooled(features[start + n], *shape),
            _places(*shape, n % grid * side, n // grid * side, side),
        )
        for n in numbers
    ]


def tokens_of(arm: str, features: Features, chosen: list[int]) -> tuple[Tensor, Tensor]:
    """Tokens [81, 96] and places [81, 4] of one screen in an arm."""
    middles, screens = list(range(MIDDLES)), list(range(GRID * GRID))
    low = _step(features, 0, [0], 1, (3, 3))
    middle = _step(features, 1, middles, 2, (3, 3))
    if arm == "low":
        parts = _step(features, 0, [0], 1, (6, 6)) * 2 + low
    elif arm == "low and middle":
        parts = low + _step(features, 1, middles, 2, (6, 3))
    elif arm == "ladder, pooled":
        parts = low + middle + _step(features, 1 + MIDDLES, screens, GRID, (1, 1))
    elif arm == "native tiles":
        parts = low + _step(features, 1 + MIDDLES, screens, GRID, (1, 2))
    else:
        parts = low + middle + _step(features, 1 + MIDDLES, chosen, GRID, (3, 3))
    tokens, places = (torch.cat(side) for side in zip(*parts, strict=True))
    assert len(tokens) == TOKENS
    return tokens, places


CROPS_ENCODED = {
    "oracle k": 9,  # first: what it cannot read, no arm can
    "low": 1,
    "low and middle": 5,
    "ladder, pooled": 41,
    "native tiles": 37,
    "top-k, contained": 41,
    "top-k, raster slices": 41,
    "random k": 9,
}
