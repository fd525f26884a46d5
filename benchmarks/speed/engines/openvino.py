"""The adapter of OpenVINO GenAI, which converts the same GGUF file on loading."""

import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import openvino
import openvino_genai

from midline.model.errors import MidlineError, UsageError


class OpenVino:
    """Prefill and decode of OpenVINO's own generation loop, timed by its own metrics.

    Its prefix cache would make a second prefill free: every prompt begins at another place.
    """

    def __init__(self, model: Path, threads: int) -> None:
        self.threads = threads
        self._turn = 0
        try:
            self.pipeline = openvino_genai.LLMPipeline(
                str(model), "CPU", INFERENCE_NUM_THREADS=threads
            )
        except RuntimeError as error:
            raise MidlineError(
                f"OpenVINO GenAI cannot load {model.name}: {str(error).strip().splitlines()[-1]}"
            ) from error

    def versions(self) -> dict[str, str]:
        """Versions of openvino and openvino-genai."""
        return {name: version(name) for name in ("openvino", "openvino-genai")}

    def settings(self) -> dict[str, Any]:
        """Threads; everything else is OpenVINO's default."""
        return {"threads": self.threads}

    def prefill(self, prompt: list[int]) -> float:
        """Seconds to the first token of a prompt never seen before."""
        return float(self._generate(self._fresh(prompt), 1).get_ttft().mean) / 1e3

    def decode(self, prompts: list[list[int]], tokens: int) -> float:
        """Seconds of `tokens` tokens after the first, by the mean time of one."""
        if len(prompts) > 1:
            raise UsageError("the peer openvino decodes one sequence here; use --samples 1")
        metrics = self._generate(self._fresh(prompts[0]), tokens + 1)
        return float(metrics.get_tpot().mean) / 1e3 * tokens

    def samples(self, prompt: list[int], samples: int, tokens: int) -> float:
        """Not comparable: its samples come from a scheduler that also prefills."""
        raise UsageError("the peer openvino measures prefill and decode only")

    def keystrokes(self, prompt: list[int], typed: list[int], tokens: int) -> float:
        """Seconds of one request per typed token, on its own prefix cache."""
        prompt = self._fresh(prompt)
        self._generate(prompt, 1)
        start = time.perf_counter()
        for count in range(1, len(typed) + 1):
            self._generate(prompt + typed[:count], tokens)
        return time.perf_counter() - start

    def _fresh(self, prompt: list[int]) -> list[int]:
        self._turn += 1
        place = self._turn % len(prompt)
        return prompt[place:] + prompt[:place]

    def _generate(self, prompt: list[int], tokens: int) -> Any:
        ids = np.asarray([prompt], np.int64)
        inputs = openvino_genai.TokenizedInputs(
            openvino.Tensor(ids), openvino.Tensor(np.ones_like(ids))
        )
        options = openvino_genai.GenerationConfig()
        options.max_new_tokens = tokens
        options.ignore_eos = True
        options.do_sample = False
        return self.pipeline.generate(inputs, options).perf_metrics


def load(model: Path, threads: int, options: dict[str, Any]) -> OpenVino:
    """Load `model`; OpenVINO has no options here."""
    return OpenVino(model, threads)
