"""`midline-bench quality instruction-sets`: logits and texts of one kernel set against another's.

Both run on this CPU, in processes of their own. The texts are the fixed ones of `quality logits`;
from the beginning of each, both decode greedily. Where they part, the margin of the first set's
choice over its second-best token tells whether the choice was close.
"""

import argparse
import json
import math
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.prompts import fingerprint, load_prompts
from midline.model.catalog.catalog import resolve
from midline.model.errors import MidlineError, UsageError
from midline.model.threads import thread_count
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

SETS = ("scalar", "avx2", "avx2vnni", "avx512", "neon", "neoni8mm")
PATHS = ("prefill", "decode")
WORKER = "midline.benchmarks.quality.instruction_sets.worker"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the two instruction sets, the model and the size of the texts."""
    add = parser.add_argument
    add("--first", choices=SETS, default="avx512", help="the reference (avx512)")
    add("--second", choices=SETS, default="avx2", help="compared with it (avx2)")
    add("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    add("--prompts", type=int, default=8, metavar="N", help="number of texts (8)")
    add("--tokens", type=int, default=128, metavar="N", help="tokens of each text (128)")
    add("--written", type=int, default=48, metavar="N", help="tokens decoded after each (48)")
    add("--threads", type=int, metavar="N", help="default: the physical cores")
    add("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Compare and print a line for each path and one for the texts."""
    if min(args.prompts, args.tokens, args.written) < 1:
        raise UsageError("--prompts, --tokens and --written need at least 1")
    if args.first == args.second:
        raise UsageError(f"--first and --second are both {args.first}")
    path, prompts = resolve(args.model), load_prompts(args.prompts)
    tokenizer = Tokenizer.from_gguf(read_gguf(path))
    ids = [tokenizer.encode(prompt.text)[: args.tokens] for prompt in prompts]
    with (
        Side(args.first, path, thread_count(args.threads)) as first,
        Side(args.second, path, thread_count(args.threads)) as second,
    ):
        found = compare(first, second, ids, args.written)
    result = {
        "benchmark": "instruction-sets",
        "model": args.model,
        "command": shlex.join(["midline-bench", *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": describe_versions("torch"),
        "first": args.first,
        "second": args.second,
        "prompts": {"texts": len(ids), "tokens": [*map(len, ids)], "sha256": fingerprint(prompts)},
        "written": args.written,
        **found,
    }
    print("\n".join(lines(result)))
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


class Side:
    """A process whose kernels are restricted to one instruction set."""

    def __init__(self, kernels: str, path: Path, threads: int) -> None:
        self.kernels = kernels
        self.folder = tempfile.TemporaryDirectory(prefix="midline-sets-")
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", WORKER, str(path), str(threads)],
            env={**os.environ, "MIDLINE_KERNELS": kernels},
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self) -> "Side":
        """Wait until the model is loaded; MidlineError if other kernels run than were named."""
        running = self._answer()["kernels"]
        if running != self.kernels:
            raise MidlineError(f"{running} kernels run although {self.kernels} were asked for")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.process.kill()
        self.process.communicate()
        self.folder.cleanup()

    def ask(self, ids: list[int], tokens: int) -> tuple[np.ndarray, dict[str, Any]]:
        """Logits float32 [prefill and decode, len(ids), vocab], and the greedy tokens after."""
        file = Path(self.folder.name) / "logits.npy"
        assert self.process.stdin is not None
        self.process.stdin.write(
            json.dumps({"ids": ids, "tokens": tokens, "logits": str(file)}) + "\n"
        )
        self.process.stdin.flush()
        answer = self._answer()
        return np.load(file), answer

    def _answer(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise MidlineError(f"the process with {self.kernels} kernels ended; see above")
        return dict(json.loads(line))


def compare(first: Side, second: Side, prompts: list[list[int]], written: int) -> dict[str, Any]:
    """KL(first || second) of both paths over all positions, and a row for each pair of texts."""
    from midline.benchmarks.quality.logits.divergence import Divergence

    found, texts = [Divergence() for _ in PATHS], []
    for number, ids in enumerate(prompts, start=1):
        print(f"text {number} of {len(prompts)}: {len(ids)} tokens", file=sys.stderr)
        (expected, one), (seen, other) = first.ask(ids, written), second.ask(ids, written)
        for divergence, rows, others in zip(found, expected, seen, strict=True):
            divergence.add(rows, others)
        texts.append(parting(one["ids"], one["margins"], other["ids"]))
    paths = {path: each.summary() for path, each in zip(PATHS, found, strict=True)}
    return {"paths": paths, "texts": texts}


def parting(ids: Sequence[int], margins: Sequence[float], others: Sequence[int]) -> dict[str, Any]:
    """Number of equal tokens and, if the texts differ, the margin in nats where they do.

    The margin is null where one text is the beginning of the other.
    """
    equal = next(
        (at for at, (a, b) in enumerate(zip(ids, others, strict=False)) if a != b),
        min(len(ids), len(others)),
    )
    if len(ids) == len(others) == equal:
        return {"tokens": len(ids), "equal": equal, "same": True, "margin": None}
    margin = margins[equal] if equal < len(ids) else math.nan
    shown = None if math.isnan(margin) else margin
    return {"tokens": len(ids), "equal": equal, "same": False, "margin": shown}


def lines(result: dict[str, Any]) -> list[str]:
    """The comparison as printed."""
    found = [
        f"{path:<8} mean KL {each['mean_kl']:.2e} nats over {each['positions']} positions, "
        f"the same best token at {each['agreement']:.2%}, "
        f"at {each['decided_agreement']:.2%} of {each['decided_positions']} clear ones"
        for path, each in result["paths"].items()
    ]
    texts = result["texts"]
    same = sum(text["same"] for text in texts)
    line = f"texts    {same} of {len(texts)} the same"
    margins = [text["margin"] for text in texts if text["margin"] is not None]
    if margins:
        line += f"; the others part at a median margin of {statistics.median(margins):.3f} nats"
    return [*found, line]
