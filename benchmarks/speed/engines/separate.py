"""Midline decoding samples one after the other, for comparison with decoding them together."""

from pathlib import Path
from typing import Any

from midline.benchmarks.speed.engines import midline
from midline.benchmarks.speed.engines.midline import MidlineSpeed
from midline.model.errors import UsageError


class SeparateRuns(MidlineSpeed):
    """One run per sample; the prompt is prefilled once for all of them."""

    def samples(self, prompt: list[int], samples: int, tokens: int) -> float:
        """Seconds of `tokens` steps of one sample, added up over all of them."""
        first = self._prepare_samples(prompt, samples)
        return sum(self._steps([self._fork()], [token], tokens) for token in first)

    def prefill(self, prompt: list[int]) -> float:
        """Raises UsageError, as the other measurements do."""
        raise UsageError("the peer separate draws samples one by one: it measures samples only")

    def decode(self, prompts: list[list[int]], tokens: int) -> float:
        """Raises UsageError."""
        return self.prefill(prompts[0])

    def keystrokes(self, prompt: list[int], typed: list[int], tokens: int) -> float:
        """Raises UsageError."""
        return self.prefill(prompt)


def load(model: Path, threads: int, options: dict[str, Any]) -> MidlineSpeed:
    """Load `model` with the options of Midline's own adapter."""
    return midline.load(model, threads, options, SeparateRuns)
