"""Memory: what a process holds after completing behind a long context."""

from pathlib import Path
from typing import Any

from midline.benchmarks.speed.remote import RemoteEngine
from midline.benchmarks.speed.workload import prompt_ids
from midline.model.runtime.transformer import CACHE_TOKENS
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf

DEFAULT_TOKENS = 32
DEFAULT_CONTEXT = 2048


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
