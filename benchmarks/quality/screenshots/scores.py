"""How right a reading is: character errors with spaces and indentation, frames, and intervals."""

import random
import statistics
from collections.abc import Sequence
from typing import Any

import numpy as np

from midline.benchmarks.mbxp.statistics import wilson
from midline.model.vision.failure import Failure, find_failure


def edits(one: str, other: str) -> int:
    """Levenshtein's distance."""
    before = np.arange(len(other) + 1)
    codes = np.frombuffer(other.encode("utf-32-le"), np.uint32)
    counting = np.arange(len(other) + 1)
    for row, character in enumerate(one):
        replaced = before[:-1] + (codes != ord(character))
        now = np.concatenate([[row + 1], np.minimum(replaced, before[1:] + 1)])
        before = np.minimum.accumulate(now - counting) + counting
    return int(before[-1])


def same_frames(true: str, read: str, columns: int) -> bool:
    """Whether exception, files, lines and functions of all frames are read as they are."""
    wanted, found = find_failure(true, columns), find_failure(read, columns)
    return wanted is not None and found is not None and frames_key(wanted) == frames_key(found)


def frames_key(failure: Failure) -> tuple[Any, ...]:
    """Exception, and file, line and function of each frame."""
    return failure.exception, tuple((f.file, f.line, f.function) for f in failure.frames)


def error_rate(pairs: Sequence[tuple[int, int]], seed: int = 0) -> dict[str, Any]:
    """Edits over characters of all screens, with a bootstrap interval of 95% over screens."""
    rng = random.Random(seed)
    rates = sorted(_rate([pairs[rng.randrange(len(pairs))] for _ in pairs]) for _ in range(1000))
    return {
        "screens": len(pairs),
        "rate": round(_rate(pairs), 5),
        "interval": [round(rates[25], 5), round(rates[974], 5)],
    }


def _rate(pairs: Sequence[tuple[int, int]]) -> float:
    return sum(wrong for wrong, _ in pairs) / max(sum(count for _, count in pairs), 1)


def time_ratio(slower: Sequence[float], faster: Sequence[float], seed: int = 0) -> dict[str, Any]:
    """The ratio of the medians of two arms' seconds on the same screens, with a bootstrap interval
    of 95% over screens."""
    rng, count = random.Random(seed), len(slower)
    ratios = []
    for _ in range(1000):
        drawn = [rng.randrange(count) for _ in range(count)]
        ratios.append(_median_ratio([slower[n] for n in drawn], [faster[n] for n in drawn]))
    ratios.sort()
    return {
        "screens": count,
        "ratio": round(_median_ratio(slower, faster), 3),
        "interval": [round(ratios[25], 3), round(ratios[974], 3)],
    }


def _median_ratio(slower: Sequence[float], faster: Sequence[float]) -> float:
    return statistics.median(slower) / statistics.median(faster)


def share(right: Sequence[bool]) -> dict[str, Any]:
    """A share with its interval of 95%."""
    low, high = wilson(sum(right), len(right))
    return {
        "cases": len(right),
        "share": round(sum(right) / len(right), 4),
        "interval": [round(low, 4), round(high, 4)],
    }
