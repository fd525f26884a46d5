"""Adapters of the engines that are compared, one per module."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from midline.model.errors import UsageError

MODULES = {
    "midline": "midline",
    "onnx": "onnx",
    "llama.cpp": "llama_cpp",
    "openvino": "openvino",
    "separate": "separate",
    "transformers": "transformers",
    "transformers-float32": "transformers_float32",
}


class SpeedEngine(Protocol):
    """One loaded model. Every measurement returns the seconds of its timed part alone."""

    def versions(self) -> dict[str, str]:
        """Versions of the libraries that this engine uses."""
        ...

    def settings(self) -> dict[str, Any]:
        """What was chosen for the last measurement: threads, variants, forms of the weights."""
        ...

    def prefill(self, prompt: list[int]) -> float:
        """Process `prompt` from an empty cache up to the logits of its last position."""
        ...

    def decode(self, prompts: list[list[int]], tokens: int) -> float:
        """`tokens` greedy steps of all `prompts` together, each with its own filled cache."""
        ...

    def samples(self, prompt: list[int], samples: int, tokens: int) -> float:
        """`tokens` steps of `samples` continuations of one filled, shared `prompt`."""
        ...

    def keystrokes(self, prompt: list[int], typed: list[int], tokens: int) -> float:
        """All of `typed` one by one after a filled `prompt`, `tokens` greedy steps after each."""
        ...


def load(name: str, model: Path, threads: int, options: dict[str, Any]) -> SpeedEngine:
    """Load `model` into the engine called `name`; UsageError when its library is missing."""
    try:
        module = importlib.import_module(f"{__name__}.{MODULES[name]}")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the peer {name} needs the Python package {error.name!r}: install it and try again"
        ) from error
    build: Callable[[Path, int, dict[str, Any]], SpeedEngine] = module.load
    return build(model, threads, options)
