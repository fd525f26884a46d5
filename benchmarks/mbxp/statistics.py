"""Statistics of reports: unbiased pass@k, Wilson intervals, paired differences (McNemar)."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

Z95 = 1.959963984540054


def pass_at_k(samples: int, passed: int, k: int) -> float:
    """The unbiased estimator of pass@k, 1 - C(n-c, k) / C(n, k) (arXiv 2107.03374).

    `passed` (c) of `samples` (n) samples passed. Raises ValueError if there are fewer than `k`.
    """
    if samples < k:
        raise ValueError(f"pass@{k} needs {k} samples, there are {samples}")
    if samples - passed < k:
        return 1.0
    return 1.0 - math.prod((samples - passed - i) / (samples - i) for i in range(k))


def wilson(passed: float, total: int, z: float = Z95) -> tuple[float, float]:
    """Wilson score interval of a proportion; (0, 1) when nothing was observed."""
    if total == 0:
        return 0.0, 1.0
    p = passed / total
    scale = 1 + z * z / total
    center = (p + z * z / (2 * total)) / scale
    half = z * math.sqrt(p * (1 - p) / total + z * z / (4 * total * total)) / scale
    return max(0.0, center - half), min(1.0, center + half)


@dataclass(frozen=True)
class Paired:
    """Two runs on the same tasks: passed by both, only the first, only the second, neither."""

    both: int
    first: int
    second: int
    neither: int

    @property
    def p_value(self) -> float:
        """Exact two-sided McNemar test: are the tasks on which they differ split evenly?"""
        return mcnemar(self.first, self.second)


def mcnemar(first: int, second: int) -> float:
    """Two-sided binomial probability of a split at least as uneven as `first` to `second`."""
    total = first + second
    if total == 0:
        return 1.0
    tail = sum(math.comb(total, i) for i in range(min(first, second) + 1))
    return min(1.0, 2 * tail / 2**total)


def paired_difference(pairs: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """First minus second of paired zeros and ones: difference, its interval of 95%, p (McNemar)."""
    counts = [pairs.count(pair) for pair in ((1, 1), (1, 0), (0, 1), (0, 0))]
    _, only_first, only_second, _ = counts
    total = len(pairs)
    difference = (only_first - only_second) / total
    spread = only_first + only_second - (only_first - only_second) ** 2 / total
    half = Z95 * math.sqrt(max(0.0, spread)) / total
    return {
        "cases": total,
        "difference": round(difference, 4),
        "interval": [round(difference - half, 4), round(difference + half, 4)],
        "only_first": only_first,
        "only_second": only_second,
        "p_value": round(Paired(*counts).p_value, 4),
    }
