"""The encoder of crops and the reader of its tokens, both small transformers."""

import torch
from torch import Tensor, nn

from midline.benchmarks.quality.zoom.screens import CLASSES, CROP, DIGITS, QUARTERS

WIDTH, PATCH, LAYERS, HEADS = 96, 8, 2, 4
SIDE_TOKENS = CROP // PATCH
CROP_TOKENS = SIDE_TOKENS**2
ANSWERS = QUARTERS


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
        self.names = nn.Linear(WIDTH, CLASSES + 1)

    def forward(self, crops: Tensor) -> Tensor:
        """Tokens in raster order."""
        tokens = self.patches(crops.unsqueeze(1)).flatten(2).transpose(1, 2)
        return self.layers(tokens + self.places)

    def told(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Of each patch the logits of what is in its middle, and that of a frame in it."""
        told = self.names(tokens)
        return told[..., :CLASSES], told[..., CLASSES]

    def flops(self) -> int:
        """Multiplications and additions for one crop."""
        body = sum(p.numel() for p in self.layers.parameters()) * CROP_TOKENS
        attention = 2 * LAYERS * CROP_TOKENS**2 * WIDTH
        stem = 48 * 25 * (CROP // 2) ** 2 + 48 * WIDTH * 36 * CROP_TOKENS
        return 2 * (body + attention + stem)


class Reader(nn.Module):
    """Tokens and their places to a digit of each quarter, by cross-attention of one query each."""

    def __init__(self) -> None:
        super().__init__()
        self.taken = nn.Sequential(nn.Linear(WIDTH + 4, WIDTH), nn.GELU(), nn.Linear(WIDTH, WIDTH))
        self.queries = nn.Parameter(torch.randn(ANSWERS, WIDTH) * 0.02)
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
        self.head = nn.Linear(WIDTH, len(DIGITS))

    def forward(self, tokens: Tensor, places: Tensor) -> Tensor:
        """Logits [n, ANSWERS, digits]; places [n, tokens, 4]: x, y, the crop's side, a constant."""
        known = self.taken(torch.cat([tokens, places], dim=-1))
        state = self.queries.expand(len(tokens), -1, -1)
        for attend, feed in zip(self.attend, self.feed, strict=True):
            state = state + attend(state, known, known, need_weights=False)[0]
            state = state + feed(state)
        return self.head(state)
