"""The encoder of crops, a small convolutional network, and the reader of its tokens."""

import torch
from torch import Tensor, nn

from midline.benchmarks.quality.zoom.screens import (
    CODE,
    CROP,
    DIGITS,
    QUARTERS,
    SIDE_TOKENS,
)

WIDTH, HEADS, SLOTS = 96, 4, 57
POOLS = ((1, 1), (1, 3), (3, 3), (3, 4))
"""Rows and columns that the tokens of a crop are pooled to before a reader gets them."""
_CHANNELS = (16, 48, WIDTH)
_NAMED = CODE * (len(DIGITS) + 1)


def pooled(tokens: Tensor, shape: tuple[int, int]) -> Tensor:
    """Tokens [n, 36, WIDTH] to [n, rows * columns, WIDTH] by means."""
    grid = tokens.transpose(1, 2).reshape(-1, WIDTH, SIDE_TOKENS, SIDE_TOKENS)
    return nn.functional.adaptive_avg_pool2d(grid, shape).flatten(2).transpose(1, 2)


class Encoder(nn.Module):
    """Crops [n, 48, 48] of any step to tokens [n, 36, WIDTH], in raster order.

    Its heads, which are needed for training alone, name the code in a crop from its tokens as
    they are pooled in the arms, and tell which tokens have a part of a code in them.
    """

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for channels in _CHANNELS:
            layers += [
                nn.Conv2d(before, channels, 3, 2, 1, bias=False),
                nn.BatchNorm2d(channels),
                nn.ReLU(),
            ]
            before = channels
        self.body = nn.Sequential(*layers)
        self.context = nn.Sequential(
            nn.Conv2d(WIDTH, WIDTH, 3, 1, 1, bias=False), nn.BatchNorm2d(WIDTH), nn.ReLU()
        )
        self.names = nn.ModuleList(nn.Linear(rows * cols * WIDTH, _NAMED) for rows, cols in POOLS)
        self.has_code = nn.Linear(WIDTH, 1)

    def forward(self, crops: Tensor) -> Tensor:
        """The tokens."""
        features = self.body(crops.unsqueeze(1))
        return (features + self.context(features)).flatten(2).transpose(1, 2)

    def named(self, tokens: Tensor) -> list[Tensor]:
        """For each way of pooling the logits of a code's digits [n, CODE, digits + 1]."""
        heads = zip(self.names, POOLS, strict=True)
        return [h(pooled(tokens, p).flatten(1)).unflatten(1, (CODE, -1)) for h, p in heads]

    def seen(self, tokens: Tensor) -> Tensor:
        """For each token the logit of a code in it [n, 36]."""
        return self.has_code(tokens).squeeze(-1)

    @staticmethod
    def flops() -> int:
        """Multiplications and additions for one crop, without the heads."""
        total, before, side = 0, 1, CROP
        for channels in _CHANNELS:
            side //= 2
            total += before * channels * 9 * side**2
            before = channels
        return 2 * (total + WIDTH * WIDTH * 9 * side**2)


class Reader(nn.Module):
    """Tokens and their places to the digits of each quarter, by a query for each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = nn.Sequential(nn.Linear(WIDTH, WIDTH), nn.GELU(), nn.Linear(WIDTH, WIDTH))
        self.slots = nn.Parameter(torch.randn(SLOTS, WIDTH) * 0.5)
        self.placed = nn.Linear(3, WIDTH)
        self.queries = nn.Parameter(torch.randn(QUARTERS * CODE, WIDTH) * 0.5)
        self.norm = nn.LayerNorm(WIDTH)
        self.attend = nn.ModuleList(
            nn.MultiheadAttention(WIDTH, HEADS, batch_first=True) for _ in range(2)
        )
        self.feed = nn.ModuleList(
            nn.Sequential(
                nn.LayerNorm(WIDTH),
                nn.Linear(WIDTH, 2 * WIDTH),
                nn.GELU(),
                nn.Linear(2 * WIDTH, WIDTH),
            )
            for _ in range(2)
        )
        self.head = nn.Sequential(nn.LayerNorm(WIDTH), nn.Linear(WIDTH, len(DIGITS)))

    def forward(self, tokens: Tensor, places: Tensor) -> Tensor:
        """Logits [n, QUARTERS, CODE, digits]; places [n, SLOTS, 3]: x, y and the crop's side."""
        known = self.norm(self.taken(tokens) + self.slots + self.placed(places))
        state = self.queries.expand(len(tokens), -1, -1)
        for attend, feed in zip(self.attend, self.feed, strict=True):
            state = state + attend(state, known, known, need_weights=False)[0]
            state = state + feed(state)
        return self.head(state).unflatten(1, (QUARTERS, CODE))
