"""`midline-bench quality logits`: Midline's and llama.cpp's probabilities against float32."""

import argparse
import json
import shlex
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from midline.benchmarks.machine import describe_machine, describe_versions
from midline.benchmarks.outputs import output_file
from midline.benchmarks.quality.logits.divergence import Divergence
from midline.benchmarks.quality.prompts import fingerprint, load_prompts
from midline.model.catalog.catalog import resolve
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.runtime.decoder import StepOptions
from midline.model.threads import thread_count
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

Logits = NDArray[np.float32]
Subject = Callable[[list[int]], Logits]
ENGINES = ("midline", "llama.cpp")
FLOAT = "midline float"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the model, the texts, what is compared, --threads and --json."""
    parser.add_argument("--model", default="qwen2.5-coder-0.5b", help="catalogue name or GGUF file")
    parser.add_argument("--prompts", type=int, default=8, metavar="N", help="number of texts (8)")
    parser.add_argument("--tokens", type=int, default=224, metavar="N", help="tokens of each text")
    parser.add_argument(
        "--engine", choices=ENGINES, action="append", help="engine to compare (default: both)"
    )
    parser.add_argument(
        "--float", action="store_true", help="measure Midline's float debug path alone (slow)"
    )
    parser.add_argument("--threads", type=int, metavar="N", help="default: the physical cores")
    parser.add_argument("--json", type=output_file, metavar="FILE", help="write the figures here")


def run(args: argparse.Namespace) -> int:
    """Measure every path of the chosen engines and print one line for each."""
    if min(args.prompts, args.tokens) < 1:
        raise UsageError("--prompts and --tokens need at least 1")
    path = resolve(args.model)
    prompts = load_prompts(args.prompts)
    tokenizer = Tokenizer.from_gguf(read_gguf(path))
    ids = [tokenizer.encode(prompt.text)[: args.tokens] for prompt in prompts]
    engines = [FLOAT] if args.float else args.engine or list(ENGINES)
    rows = measure(path, ids, engines, thread_count(args.threads))
    result = {
        "benchmark": "logits",
        "model": args.model,
        "command": shlex.join(["midline-bench", *sys.argv[1:]]),
        "machine": describe_machine(),
        "versions": describe_versions("torch", "transformers", "llama-cpp-python"),
        "prompts": {
            "texts": len(prompts),
            "languages": sorted({prompt.language for prompt in prompts}),
            "tokens": [len(tokens) for tokens in ids],
            "sha256": fingerprint(prompts),
        },
        "margin": Divergence().margin,
        "rows": rows,
        "kl_ratio": kl_ratios(rows),
    }
    print_rows(rows)
    if args.json:
        args.json.write_text(json.dumps(result, indent=1) + "\n")
    return 0


def measure(
    path: Path, prompts: list[list[int]], engines: list[str], threads: int
) -> list[dict[str, Any]]:
    """One row of figures per engine and path, over all positions of all prompts."""
    from midline.benchmarks.quality.logits.float_reference import FloatReference

    subjects = {
        key: subject
        for engine in engines
        for key, subject in _SUBJECTS[engine](path, threads, max(map(len, prompts))).items()
    }
    reference = FloatReference(path, threads)
    found = {key: Divergence() for key in subjects}
    for number, ids in enumerate(prompts, start=1):
        print(f"text {number} of {len(prompts)}: {len(ids)} tokens", file=sys.stderr)
        expected = reference.logits(ids)
        for key, subject in subjects.items():
            found[key].add(expected, subject(ids))
    return [
        {"engine": engine, "path": name, **found[engine, name].summary()}
        for engine, name in subjects
    ]


def _llama_cpp_subjects(path: Path, threads: int, length: int) -> dict[tuple[str, str], Subject]:
    from midline.benchmarks.speed.engines.llama_cpp import LlamaContext, LlamaModel, Variant

    context = LlamaContext(
        LlamaModel(path), cells=length, sequences=1, threads=threads, variant=Variant()
    )

    def prefill(ids: list[int]) -> Logits:
        context.clear()
        return context.decode([(token, place, 0, True) for place, token in enumerate(ids)])

    def decode(ids: list[int]) -> Logits:
        context.clear()
        rows = [
            context.decode([(token, place, 0, True)])[0].copy() for place, token in enumerate(ids)
        ]
        return np.stack(rows)

    return {("llama.cpp", "prefill"): prefill, ("llama.cpp", "decode"): decode}


def _float_subjects(path: Path, threads: int, length: int) -> dict[tuple[str, str], Subject]:
    engine = NativeEngine.load(path, threads=threads)
    return {("midline", "float"): lambda ids: engine.logits(ids, float_activations=True)}


def _midline_subjects(path: Path, threads: int, length: int) -> dict[tuple[str, str], Subject]:
    engine = NativeEngine.load(path, threads=threads)

    def in_steps(ids: list[int], rows: int) -> Logits:
        sequence = engine.new_sequence()
        steps = [
            engine.decoder.forward(
                [(sequence, ids[at : at + rows])], logits="all", options=StepOptions(exact=True)
            )
            for at in range(0, len(ids), rows)
        ]
        engine.release(sequence)
        return np.concatenate(steps)

    return {
        ("midline", "prefill"): lambda ids: engine.logits(ids),
        ("midline", "decode"): lambda ids: in_steps(ids, 1),
    }


_SUBJECTS: dict[str, Callable[[Path, int, int], dict[tuple[str, str], Subject]]] = {
    "midline": _midline_subjects,
    FLOAT: _float_subjects,
    "llama.cpp": _llama_cpp_subjects,
}


def kl_ratios(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Midline's mean KL over llama.cpp's on the same path, for the paths both have."""
    peer = {row["path"]: row["mean_kl"] for row in rows if row["engine"] == "llama.cpp"}
    return {
        row["path"]: row["mean_kl"] / peer[row["path"]]
        for row in rows
        if row["engine"] == "midline" and row["path"] in peer
    }


def print_rows(rows: list[dict[str, Any]]) -> None:
    """Print engine, path, mean KL and greedy agreement of every row."""
    print(f"{'engine':<10} {'path':<10} {'mean KL':>10} {'agree':>9} {'decided':>18}")
    for row in rows:
        decided = f"{row['decided_agreement']:.4%} of {row['decided_positions']}"
        print(
            f"{row['engine']:<10} {row['path']:<10} {row['mean_kl']:>10.6f} "
            f"{row['agreement']:>9.4%} {decided:>18}"
        )
