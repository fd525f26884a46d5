"""`midline serve` with an engine whose text is known: run by tests as a process of its own.

MIDLINE_FAKE is a JSON object: `folder` (to write in), `log` (a file that gets a line for every
prompt), `answer` (text the engine writes, samples separated by |; `answers` has others by the name
of the model's file), `seconds` (per token),
`load_seconds`, `fails` (the load raises this; with `fails_with`, an object of settings, only where
those hold), `breaks` (generation raises this), `noise` (written
to standard output in every way there is while the engine works).
"""

import ctypes
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.model.engines.base import Generation, Request, SamplingOptions
from midline.model.errors import MidlineError
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.lsp.server import create_server
from midline.server.lsp.settings import Settings

FAKE = json.loads(os.environ["MIDLINE_FAKE"])
_KNOWN = 64
"""Prompts that the engine has in its cache."""


class LoggingEngine(FakeEngine):
    """Notes every request in the log, and can be noisy or broken."""

    def generate(self, request: Request, options: SamplingOptions, **how: Any) -> Generation:
        prompt = self.tokenizer.decode(request.prompt)
        note = {"prompt": prompt, "align": request.align.decode()}
        with Path(FAKE["log"]).open("a", encoding="utf-8") as log:
            log.write(json.dumps(note | {"samples": options.samples}) + "\n")
        if "noise" in FAKE:
            make_noise(FAKE["noise"])
        if "breaks" in FAKE:
            raise RuntimeError(FAKE["breaks"])
        # A server is not asked what it has heard, and its memory is measured.
        del self.asked[:-1], self.options[:-1], self.known[:-_KNOWN]
        return super().generate(request, options, **how)


def make_noise(text: str) -> None:
    """Write to standard output from Python, from C, from the descriptor and from a child."""
    print(text, flush=True)
    os.write(1, f"{text}\n".encode())
    library = ctypes.CDLL(None)
    library.puts(text.encode())
    library.fflush(None)
    subprocess.run([sys.executable, "-c", f"print({text!r})"], check=True)


def load(settings: Settings, progress: Callable[[float], None]) -> Any:
    """The fake engine, after as long as it was told to take."""
    for step in range(10):
        time.sleep(FAKE.get("load_seconds", 0) / 10)
        progress((step + 1) / 10)
    fails_with = FAKE.get("fails_with", {}).items()
    if "fails" in FAKE and all(getattr(settings, name) == value for name, value in fails_with):
        raise MidlineError(FAKE["fails"])
    path = Path(FAKE["folder"]) / "tiny.gguf"
    if not path.exists():
        write_tiny_model(path, QWEN2)
    tokenizer = Tokenizer.from_gguf(read_gguf(path))
    answer = FAKE.get("answers", {}).get(Path(settings.model).name, FAKE.get("answer", "1"))
    return LoggingEngine(
        tokenizer, lambda prompt: answer, FAKE.get("seconds", 0.0), name=settings.model
    )


if __name__ == "__main__":
    try:
        sys.exit(create_server(load).serve_stdio())
    except KeyboardInterrupt:
        sys.exit(130)  # as `midline serve`
