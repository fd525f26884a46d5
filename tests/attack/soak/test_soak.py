"""Memory grows as the prefix cache fills, and ends where it is full."""

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from attack.soak.soak import (
    SERVE,
    TYPING,
    cache_bytes,
    is_bounded,
    report,
    resident_bytes,
    settled_growth,
    soak,
)
from engine_models import engine, random_ids, write_variant

from midline.benchmarks.attacks.command import MINUTES_VARIABLE
from midline.model.runtime.kv_cache import PAGE

Tally = Callable[..., None]
MEGABYTE = 1 << 20


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_the_growth_of_memory_is_the_prefix_cache_and_ends_when_it_is_full(tmp_path: Path) -> None:
    """Prompts that share nothing: pages fill up to the last, then the oldest make room."""
    model = engine(write_variant(tmp_path, "k-quants"), cache_tokens=4096, tail_tokens=256)
    pool = model.decoder.cache.pool
    grown = []
    start = resident_bytes(os.getpid())
    for number in range(60):
        model.prefill(random_ids(500, seed=number))
        if number % 10 == 9:
            grown.append(resident_bytes(os.getpid()) - start)
    full = pool.pages * pool.page_halves * 2
    assert pool.pages * PAGE >= 4096
    assert pool.free_pages < pool.pages // 3  # full but for what the next prompt needs
    assert grown[0] > full // 2  # it is the cache that grows
    assert grown[-1] - grown[2] < 4 * MEGABYTE  # and nothing once it is full
    assert grown[-1] < full + 48 * MEGABYTE


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("minutes", [0.15, pytest.param(1.0, marks=pytest.mark.attack)])
async def test_a_soak_of_a_tiny_model(
    tiny_qwen2: Path, tmp_path: Path, minutes: float, tally: Tally
) -> None:
    samples = await soak(str(tiny_qwen2), minutes, 60 * minutes / 5, tmp_path)
    _judge(samples, cache_bytes(str(tiny_qwen2)), "tiny model", tally)


@pytest.mark.attack
@pytest.mark.timeout(0)
async def test_a_soak_of_the_default_model(qwen05_path: Path, tmp_path: Path, tally: Tally) -> None:
    minutes = float(os.environ.get(MINUTES_VARIABLE, "10"))
    model = str(qwen05_path)
    samples = await soak(model, minutes, min(30.0, 6 * minutes), tmp_path, TYPING, SERVE)
    _judge(samples, cache_bytes(model), "0.5B at typing pace", tally)


def _judge(samples: list, cache: int, name: str, tally: Tally) -> None:
    print("\n".join(report(samples, cache)))
    grown = (samples[-1].resident - samples[0].resident) / 1e6
    bounded = is_bounded(samples, cache)
    minutes, drift = samples[-1].seconds / 60, settled_growth(samples)
    said = f"{grown:.0f} MB in {minutes:.1f} min, cache of {cache / 1e6:.0f} MB"
    through = 0 if bounded else 1
    tally(f"soak of the {name}", samples[-1].answers, through, said, minutes=minutes, growth=drift)
    assert samples[-1].answers > 0
    assert bounded
    assert np.isfinite(grown)
