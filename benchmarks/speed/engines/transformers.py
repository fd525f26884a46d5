"""The adapter of transformers with PyTorch, on the dequantized weights, in bfloat16 by default."""

import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from transformers import DynamicCache

from midline.benchmarks.quality.logits.float_reference import FloatReference
from midline.model.errors import UsageError


class Transformers:
    """Prefill and decode through the model's forward call and its key-value cache."""

    def __init__(self, model: Path, threads: int, weights: torch.dtype = torch.bfloat16) -> None:
        self.threads = threads
        self.model = FloatReference(model, threads).model.to(weights)

    def versions(self) -> dict[str, str]:
        """Versions of torch and transformers."""
        return {name: version(name) for name in ("torch", "transformers")}

    def settings(self) -> dict[str, Any]:
        """Threads and type of the weights."""
        return {"threads": self.threads, "weights": str(self.model.dtype).removeprefix("torch.")}

    def prefill(self, prompt: list[int]) -> float:
        """Seconds of one forward call, one row of logits."""
        start = time.perf_counter()
        self._forward([prompt], DynamicCache())
        return time.perf_counter() - start

    def decode(self, prompts: list[list[int]], tokens: int) -> float:
        """Seconds of `tokens` forward calls of one row per prompt."""
        cache = DynamicCache()
        current = self._forward(prompts, cache)
        start = time.perf_counter()
        for _ in range(tokens):
            current = self._forward([[token] for token in current], cache)
        return time.perf_counter() - start

    def samples(self, prompt: list[int], samples: int, tokens: int) -> float:
        """Seconds of `tokens` forward calls; the cache is copied for every sample."""
        return self.decode([prompt] * samples, tokens)

    def keystrokes(self, prompt: list[int], typed: list[int], tokens: int) -> float:
        """Not measured: its cache cannot be cut back without copying."""
        raise UsageError("the peer transformers measures prefill, decode and samples only")

    @torch.inference_mode()
    def _forward(self, rows: list[list[int]], cache: DynamicCache) -> list[int]:
        ids = torch.tensor(rows)
        answer = self.model(ids, past_key_values=cache, use_cache=True, logits_to_keep=1)
        best: list[int] = answer.logits[:, -1].argmax(dim=-1).tolist()
        return best


def load(model: Path, threads: int, options: dict[str, Any]) -> Transformers:
    """Load `model`; transformers has no options here."""
    return Transformers(model, threads)
