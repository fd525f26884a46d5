"""`midline-bench quality screen`: the screened output matrix against the whole one."""

import argparse
import hashlib
import json
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from midline import kernels, model
from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.prompts import load_prompts
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.runtime.decoder import Logits, StepOptions

ROWS = 32
"""Rows per pass, within row invariance: logits are bit-identical to those of one row."""
LENGTH = 512
"""Most tokens of a sequence; longer texts are cut."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add --model, --positions, --threads and --json."""
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    parser.add_argument("--positions", type=int, default=10_000, metavar="N")
    parser.add_argument("--threads", type=int, metavar="N", help="default: the physical cores")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Compare position by position, print the agreement and the error of log-probabilities."""
    if args.positions < 1:
        raise UsageError("--positions needs at least 1")
    engine = NativeEngine.load(args.model, threads=args.threads)
    text = corpus()
    ids = engine.tokenizer.encode(text)[: args.positions]
    found = Agreement()
    for start in range(0, len(ids), LENGTH):
        for exact, screened in both_logits(engine, ids[start : start + LENGTH]):
            found.add(exact, screened)
    result = {
        "benchmark": "screen",
        "model": args.model,
        "command": shlex.join(["midline-bench", *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": describe_versions(),
        "text_sha256": hashlib.sha256(text.encode()).hexdigest(),
        **found.summary(),
    }
    print(
        f"{found.positions} positions: the same greedy token at {result['agreement']:.4%}, its "
        f"log-probability off by {result['mean_error']:.2g} nats on average, "
        f"{result['max_error']:.2g} at most"
    )
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


@dataclass
class Agreement:
    """Greedy tokens and the log-probabilities of the greedy token, position by position."""

    positions: int = 0
    agreed: int = 0
    errors: list[float] = field(default_factory=list)

    def add(self, exact: Logits, screened: Logits) -> None:
        """Add one position: logits of both forms, float32 [vocab]."""
        best = int(exact.argmax())
        self.positions += 1
        if int(screened.argmax()) == best:
            self.agreed += 1
            self.errors.append(
                abs(_log_probability(exact, best) - _log_probability(screened, best))
            )

    def summary(self) -> dict[str, Any]:
        """Figures as recorded; errors are in nats, over the positions that agree."""
        return {
            "positions": self.positions,
            "agreement": self.agreed / self.positions,
            "mean_error": float(np.mean(self.errors)) if self.errors else None,
            "max_error": float(np.max(self.errors)) if self.errors else None,
        }


def _log_probability(logits: Logits, token: int) -> float:
    return float(logits[token]) - kernels.log_sum_exp(logits)


def corpus() -> str:
    """Code in four languages and this engine's own sources, as installed."""
    texts = [prompt.text for prompt in load_prompts()]
    own = sorted(Path(model.__file__).parent.rglob("*.py"))
    return "\n".join([*texts, *(path.read_text("utf-8") for path in own)])


def both_logits(engine: NativeEngine, ids: list[int]) -> Iterator[tuple[Logits, Logits]]:
    """Whole and screened logits of every position, each float32 [vocab]."""
    whole, single = engine.new_sequence(), engine.new_sequence()
    try:
        for start in range(0, len(ids), ROWS):
            piece = ids[start : start + ROWS]
            exact = engine.decoder.forward(
                [(whole, piece)], logits="all", options=StepOptions(exact=True)
            )
            for row, token in zip(exact, piece, strict=True):
                yield row, engine.decoder.forward([(single, [token])])[0]
    finally:
        engine.release(whole)
        engine.release(single)
