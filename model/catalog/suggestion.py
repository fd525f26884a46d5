"""Which model of the catalogue suits a machine, by how fast it would read prompts."""

from collections.abc import Iterable

from midline.model.catalog.catalog import CATALOGUE, DEFAULT_MODEL, ModelEntry

ENOUGH_TOKENS_PER_SECOND = 400.0
"""Prompt tokens/s from which on completions of the 1.5B were in time while somebody typed
(`midline-bench quality typing --model qwen2.5-coder-1.5b`, at about 500 tokens/s)."""

_MEMORY_OVER_FILE = 6


def prompt_speed(entry: ModelEntry, multiply_adds_per_second: float) -> float:
    """Prompt tokens/s of a model on a machine of so many multiply-adds/s in a prefill's products.

    Attention is left out: it is small beside the products while prompts have some thousand tokens.
    """
    return multiply_adds_per_second / entry.multiply_adds


def suggest(
    multiply_adds_per_second: float,
    memory_bytes: int | None,
    entries: Iterable[ModelEntry] = CATALOGUE.values(),
) -> ModelEntry:
    """The largest model that reads `ENOUGH_TOKENS_PER_SECOND`, or the default model.

    A model and its packed copy may take a third of the memory, where its size is known.
    """
    fits = [
        entry
        for entry in entries
        if entry.multiply_adds
        and prompt_speed(entry, multiply_adds_per_second) >= ENOUGH_TOKENS_PER_SECOND
        and (memory_bytes is None or entry.bytes * _MEMORY_OVER_FILE <= memory_bytes)
        and entry.bytes >= CATALOGUE[DEFAULT_MODEL].bytes
    ]
    return max(fits, key=lambda entry: entry.bytes, default=CATALOGUE[DEFAULT_MODEL])
