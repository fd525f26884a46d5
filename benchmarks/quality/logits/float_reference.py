"""The reference of every logits measurement: transformers in float32 on the dequantized weights."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from midline.model.weights.transformers_model import load_in_transformers


class FloatReference:
    """A GGUF model in float32 on `threads` threads; needs four bytes a weight of memory."""

    def __init__(self, path: Path, threads: int) -> None:
        torch.set_num_threads(threads)
        self.model = load_in_transformers(path)

    @torch.inference_mode()
    def logits(self, ids: list[int]) -> NDArray[np.float32]:
        """Logits of every position: float32 [len(ids), vocabulary]."""
        answer: NDArray[np.float32] = self.model(torch.tensor([ids])).logits[0].numpy()
        return answer
