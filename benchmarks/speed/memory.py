"""Resident memory of a process after a completion with a long context."""

import argparse
from pathlib import Path
from typing import Any

from midline.benchmarks.speed import flags
from midline.benchmarks.speed.remote import RemoteEngine
from midline.benchmarks.speed.report import report
from midline.benchmarks.speed.workload import prompt_ids
from midline.model.runtime.decoder import CACHE_TOKENS
from midline.model.threads import thread_count
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the length of the context and of the completion."""
    flags.add(parser, tokens=32, context=2048)


def run(args: argparse.Namespace) -> int:
    """Complete once in a process of its own and print what it holds."""
    flags.check(args)
    path, threads = flags.model_path(args), thread_count(args.threads)
    return report("memory", args, measure(path, threads, args.tokens, args.context), lines)


def measure(path: Path, threads: int, tokens: int, context: int) -> dict[str, Any]:
    """Resident bytes of a process after one completion, and how far they exceed the file."""
    prompt = prompt_ids(Tokenizer.from_gguf(read_gguf(path)), context)
    options = {"exact": False, "cache_tokens": CACHE_TOKENS}
    with RemoteEngine("midline", path, threads, options) as engine:
        engine.call("complete", prompt=prompt, tokens=tokens)
        resident = engine.resident_bytes
        versions = engine.versions
    file_bytes = path.stat().st_size
    over = None if resident is None else (resident - file_bytes) / 1e6
    return {
        "tokens": tokens,
        "context": context,
        "versions": versions,
        "file_bytes": file_bytes,
        "resident_bytes": resident,
        "over_file_megabytes": over,
    }


def lines(result: dict[str, Any]) -> list[str]:
    """The result as printed."""
    if result["resident_bytes"] is None:
        return ["this system does not tell a process its resident memory"]
    return [
        f"{result['resident_bytes'] / 1e6:.0f} MB resident after {result['context']} tokens of "
        f"context: the file and {result['over_file_megabytes']:.0f} MB"
    ]
