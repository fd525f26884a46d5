"""What the shared options mean to the engine."""

import argparse
from pathlib import Path

import pytest

from midline.model.runtime.decoder import CACHE_TOKENS, TAIL_TOKENS
from midline.model.runtime.kv_cache import PAGE
from midline.server.cli.generation_arguments import add_generation_arguments, load_engine


@pytest.mark.parametrize(
    ("words", "tokens"),
    [
        ((), TAIL_TOKENS),
        (("--samples", "2"), TAIL_TOKENS),
        (("--samples", "64"), 64 * (512 + 2 * PAGE)),
        (("--samples", "3", "--max-tokens", "1000000"), 3 * (CACHE_TOKENS + 2 * PAGE)),
    ],
)
def test_there_is_room_for_all_that_samples_may_write(
    words: tuple[str, ...], tokens: int, tiny_qwen2: Path, home: Path
) -> None:
    parser = argparse.ArgumentParser()
    add_generation_arguments(parser, 512)
    engine = load_engine(parser.parse_args(["--model", str(tiny_qwen2), *words]))
    assert engine.decoder.cache.pool.pages == (CACHE_TOKENS + tokens) // PAGE
