"""The adapter of transformers with PyTorch, on the dequantized weights in float32."""

from pathlib import Path
from typing import Any

import torch

from midline.benchmarks.speed.engines.transformers import Transformers


def load(model: Path, threads: int, options: dict[str, Any]) -> Transformers:
    """Load `model`; transformers has no options here."""
    return Transformers(model, threads, torch.float32)
