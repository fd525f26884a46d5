"""What the reader gets: fifty-seven tokens in every arm, of crops chosen in different ways."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor

from midline.benchmarks.quality.zoom.network import SLOTS
from midline.benchmarks.quality.zoom.screens import QUARTERS, SIDE_TOKENS, STEPS

MIDDLE, HIGH = STEPS["middle"], STEPS["high"]
_WITHIN = HIGH // MIDDLE


@dataclass(frozen=True)
class Features:
    """The encoder's tokens of n screens, pooled as the arms need them, and what selection needs.

    low [n, 1, 36, w]; low_pooled [n, 1, 9, w]; middle [n, 4, 12, w]; middle_pooled [n, 4, 3, w];
    high [n, 36, 9, w]; native [n, 16, 3, w]. seen [n, 4, 36]: how much each token of the middle
    step looks like a code. truth [n, 4]: the crop of the high step with each quarter's code.
    """

    low: Tensor
    low_pooled: Tensor
    middle: Tensor
    middle_pooled: Tensor
    high: Tensor
    native: Tensor
    seen: Tensor
    truth: Tensor


def joined(parts: Sequence[Features]) -> Features:
    """The tokens of several parts of the screens."""
    names = [field.name for field in fields(Features)]
    return Features(**{name: torch.cat([getattr(p, name) for p in parts]) for name in names})


def inside(region: int) -> list[int]:
    """Crops of the high step, by raster number, that lie within a crop of the middle step."""
    row, column = divmod(region, MIDDLE)
    return [
        (row * _WITHIN + r) * HIGH + column * _WITHIN + c
        for r in range(_WITHIN)
        for c in range(_WITHIN)
    ]


def raster_slice(region: int) -> list[int]:
    """The crops that the authors' code takes for a region: a run in raster order."""
    count = HIGH**2 // MIDDLE**2
    return list(range(region * count, (region + 1) * count))


def _means(tokens: Tensor) -> Tensor:
    """The mean token of each crop, in single precision."""
    return tokens.mean(dim=2, dtype=torch.float32)


def most_alike(features: Features, candidates: Callable[[int], list[int]]) -> Tensor:
    """For each region the candidate whose mean token is most like the region's, by dot product:
    the paper's selection, [n, 4]."""
    high, middle = _means(features.high), _means(features.middle_pooled)
    chosen = []
    for region in range(QUARTERS):
        numbers = torch.tensor(candidates(region))
        scores = (high[:, numbers] * middle[:, region, None]).sum(dim=-1)
        chosen.append(numbers[scores.argmax(dim=1)])
    return torch.stack(chosen, dim=1)


def pointed_at(features: Features) -> Tensor:
    """For each region the crop in it where the middle step looks most like a code, [n, 4]: no
    other crop of the high step has to be encoded."""
    size = SIDE_TOKENS // _WITHIN
    cells = features.seen.float().unflatten(2, (_WITHIN, size, _WITHIN, size)).amax(dim=(3, 5))
    best = cells.flatten(2).argmax(dim=2)
    numbers = torch.tensor([inside(region) for region in range(QUARTERS)])
    return torch.stack([numbers[r][best[:, r]] for r in range(QUARTERS)], dim=1)


def at_random(features: Features) -> Tensor:
    """For each region one of the crops in it, [n, 4]."""
    numbers = torch.tensor([inside(region) for region in range(QUARTERS)])
    picked = torch.randint(
        numbers.shape[1], features.truth.shape, generator=torch.Generator().manual_seed(2)
    )
    return torch.stack([numbers[r][picked[:, r]] for r in range(QUARTERS)], dim=1)


_CHOSEN: dict[str, Callable[[Features], Tensor]] = {
    "oracle k": lambda features: features.truth,
    "top-k contained": lambda features: most_alike(features, inside),
    "top-k raster slices": lambda features: most_alike(features, raster_slice),
    "top-k pointed at": pointed_at,
    "random k": at_random,
}
_ENCODED = {"low": 1, "middle": MIDDLE**2, "high": HIGH**2, "native": STEPS["native"] ** 2}
_LADDER = _ENCODED["low"] + _ENCODED["middle"]
CROPS_ENCODED = {
    "oracle k": _LADDER + QUARTERS,  # first: what it cannot read, no arm can
    "low": _ENCODED["low"],
    "low and middle": _LADDER,
    "ladder pooled": _LADDER + _ENCODED["high"],
    "native tiles": _ENCODED["low"] + _ENCODED["native"],
    "top-k contained": _LADDER + _ENCODED["high"],
    "top-k raster slices": _LADDER + _ENCODED["high"],
    "top-k pointed at": _LADDER + QUARTERS,
    "random k": _LADDER + QUARTERS,
}
"""Crops that the encoder has to see for an arm. The oracle's selection costs nothing."""


def chosen_crops(arm: str, features: Features) -> Tensor | None:
    """The crops of the high step that an arm selects [n, 4]; None for an arm without selection."""
    return _CHOSEN[arm](features) if arm in _CHOSEN else None


def shown(chosen: Tensor, truth: Tensor) -> float:
    """The share of codes whose crop is among those selected, for their region or another."""
    return float((chosen.unsqueeze(2) == truth.unsqueeze(1)).any(dim=1).float().mean())


def _places(numbers: Tensor, step: str, shape: tuple[int, int]) -> Tensor:
    """Middle (x, y) and side of the parts of crops, in parts of the screen: [n, crops, parts, 3]"""
    along, (rows, columns) = STEPS[step], shape
    ys = (torch.arange(rows) + 0.5) / rows
    xs = (torch.arange(columns) + 0.5) / columns
    within = torch.stack(torch.meshgrid(xs, ys, indexing="xy"), dim=-1).flatten(0, 1)
    corner = torch.stack([numbers % along, numbers // along], dim=-1).float()
    place = (corner.unsqueeze(-2) + within) / along
    return torch.cat([place, torch.full_like(place[..., :1], 1 / along)], dim=-1)


def _part(
    tokens: Tensor, step: str, shape: tuple[int, int], numbers: Tensor | None = None
) -> tuple[Tensor, Tensor]:
    count = len(tokens)
    if numbers is None:
        numbers = torch.arange(STEPS[step] ** 2).expand(count, -1)
    else:
        tokens = tokens[torch.arange(count).unsqueeze(1), numbers]
    return tokens.flatten(1, 2), _places(numbers, step, shape).flatten(1, 2)


def arm_tokens(arm: str, features: Features) -> tuple[Tensor, Tensor]:
    """Tokens [n, 57, w] and places [n, 57, 3] of the screens in an arm."""
    low = _part(features.low_pooled, "low", (3, 3))
    middle = _part(features.middle_pooled, "middle", (1, 3))
    chosen = chosen_crops(arm, features)
    if chosen is not None:
        parts = [low, middle, _part(features.high, "high", (3, 3), chosen)]
    elif arm == "low":
        parts = [low, low, _part(features.low, "low", (6, 6))]
        parts.append((low[0][:, :3], low[1][:, :3]))
    elif arm == "low and middle":
        parts = [low, _part(features.middle, "middle", (3, 4))]
    elif arm == "ladder pooled":
        means = _means(features.high).unsqueeze(2).to(features.high.dtype)
        parts = [low, middle, _part(means, "high", (1, 1))]
    else:
        parts = [low, _part(features.native, "native", (1, 3))]
    tokens, places = (torch.cat(side, dim=1) for side in zip(*parts, strict=True))
    assert tokens.shape[1] == SLOTS
    return tokens, places
