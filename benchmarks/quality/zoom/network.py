"""The encoder of crops and the reader of its tokens, both small transformers."""

import torch
from torch import Tensor, nn

from midline.benchmarks.quality.zoom.screens import ALPHABET, CROP, EXCEPTIONS, FILES

WIDTH, PATCH, LAYERS, HEADS = 96, 8, 3, 4
SIDE_TOKENS = CROP // PATCH
CROP_TOKENS = SIDE_TOKENS**2
ANSWERS = (len(EXCEPTIONS), 10, 10, 10, len(FILES))
SUBCELLS = 4
"""Points in a patch at which the encoder learns to name the character."""


def _layers(count: int) -> nn.TransformerEncoder:
    layer = nn.TransformerEncoderLayer(
        WIDTH, HEADS, 2 * WIDTH, 0.0, "gelu", batch_first=True, norm_first=True
    )
    return nn.TransformerEncoder(layer, count, enable_nested_tensor=False)


class Encoder(nn.Module):
    """Crops [n, 48, 48] to tokens [n, 36, 96]."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Sequential(
            nn.Conv2d(1, 48, 5, 2, 2), nn.GELU(), nn.Conv2d(48, WIDTH, 6, 4, 1), nn.GELU()
        )
        self.places = nn.Parameter(torch.randn(CROP_TOKENS, WIDTH) * 0.02)
        self.layers = _layers(LAYERS)
        self.names = nn.Linear(WIDTH, SUBCELLS * (len(ALPHABET) + 1))

    def forward(self, crops: Tensor) -> Tensor:
        """Tokens in raster order."""
        tokens = self.patches(crops.unsqueeze(1)).flatten(2).transpose(1, 2)
        return self.layers(tokens + self.places)

    def flops(self) -> int:
        """Multiplications and additions for one crop."""
        body = sum(p.numel() for p in self.layers.parameters()) * CROP_TOKENS
        attention = 2 * LAYERS * CROP_TOKENS**2 * WIDTH
        stem = 48 * 25 * (CROP // 2) ** 2 + 48 * WIDTH * 36 * CROP_TOKENS
        return 2 * (body + attention + stem)


class Reader(nn.Module):
    """Tokens and their places to the five answers, by cross-attention of one query each."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = nn.Linear(WIDTH + 4, WIDTH)
        self.queries = nn.Parameter(torch.randn(len(ANSWERS), WIDTH) * 0.02)
        self.mixed = _layers(1)
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
        self.heads = nn.ModuleList(nn.Linear(WIDTH, count) for count in ANSWERS)

    def forward(self, tokens: Tensor, places: Tensor) -> list[Tensor]:
        """Logits of each answer; places [n, tokens, 4] are x, y, the crop's side and a constant."""
        known = self.mixed(self.taken(torch.cat([tokens, places], dim=-1)))
        state = self.queries.expand(len(tokens), -1, -1)
        for attend, feed in zip(self.attend, self.feed, strict=True):
            state = state + attend(state, known, known, need_weights=False)[0]
            state = state + feed(state)
        return [head(state[:, n]) for n, head in enumerate(self.heads)]
