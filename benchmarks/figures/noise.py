"""How far a figure may fall below the last accepted value without being a regression.

An entry of `figures.toml` names one of these forms as its `noise`:

    pairs         a ratio of paired runs: two standard errors of the median of the recorded pairs,
                  from their median absolute deviation, and at least SESSION of the value
    interval      a share or a difference recorded with its 95% interval: half of that interval
    binomial N    a share of N cases: down to the lower end of its 95% Wilson interval
    P%            P percent of the value: times and sizes measured once
    absolute X    X in the figure's unit, where the value itself may be next to nothing
    exact         nothing: counts and identities
"""

import math
import statistics
from dataclasses import dataclass
from typing import Any

from midline.benchmarks.figures.lookup import look_up
from midline.benchmarks.mbxp.statistics import wilson

SESSION = 0.10
"""Least noise of a ratio of speeds, as a share of the ratio.

The pairs of one session agree better than sessions do: recordings of one figure on different days
differ by up to 15% of the ratio, because other tenants of a shared host leave more or less of its
memory bandwidth (`decode-sparse-40-0.5b` was 2.80 and, with the same kernels, 2.39).
"""
MEDIAN_ERROR = 1.2533
"""Standard error of a median over that of a mean, for normal noise: sqrt(pi / 2)."""
DEVIATION = 1.4826
"""Standard deviation over median absolute deviation, for normal noise."""
DIGITS = 4


@dataclass(frozen=True)
class Noise:
    """One of the forms above; `amount` is its N, P or X."""

    form: str
    amount: float = 0.0

    def floor(self, value: float, result: dict[str, Any], path: str, direction: str) -> str:
        """The comparison that accepting `value`, found at `path` of `result`, sets.

        `direction` is `>=` where more is better, `<=` where less is. Raises KeyError where the
        result has no pairs or no interval.
        """
        size = self.size(value, result, path)
        bound = value - size if direction == ">=" else value + size
        return f"{direction} {_rounded(bound, down=direction == '>='):g}"

    def size(self, value: float, result: dict[str, Any], path: str) -> float:
        """The noise of `value`, in its unit."""
        if self.form == "pairs":
            return max(2 * median_error(result["pair_ratios"]), SESSION * abs(value))
        if self.form == "interval":
            low, high = _interval(result, path)
            return (high - low) / 2
        if self.form == "binomial":
            return value - wilson(value * self.amount, int(self.amount))[0]
        return self.amount if self.form == "absolute" else abs(value) * self.amount / 100


def parse_noise(text: str) -> Noise:
    """The form that `text` names; ValueError for another."""
    if text in ("pairs", "interval", "exact"):
        return Noise(text)
    word, _, count = text.partition(" ")
    if word == "binomial" and int(count) > 0:
        return Noise(word, int(count))
    if word == "absolute" and float(count) > 0:
        return Noise(word, float(count))
    if text.endswith("%") and float(text[:-1]) > 0:
        return Noise("percent", float(text[:-1]))
    raise ValueError(f"{text!r} is no noise: pairs, interval, binomial N, P%, absolute X or exact")


def median_error(values: list[float]) -> float:
    """Standard error of the median of `values`, by their median absolute deviation."""
    median = statistics.median(values)
    deviation = statistics.median(abs(value - median) for value in values)
    return MEDIAN_ERROR * DEVIATION * deviation / math.sqrt(len(values))


def _interval(result: dict[str, Any], path: str) -> tuple[float, float]:
    """The interval beside the value at `path`: of its own, or of the difference it belongs to."""
    parent, _, key = path.rpartition(".")
    around = look_up(result, parent)
    low, high = around[f"{key}_interval"] if f"{key}_interval" in around else around["interval"]
    return low, high


def _rounded(bound: float, *, down: bool) -> float:
    """`bound` to DIGITS significant digits, away from the value it was taken from."""
    if bound == 0:
        return 0.0
    scale = 10.0 ** (DIGITS - 1 - math.floor(math.log10(abs(bound))))
    return (math.floor if down else math.ceil)(bound * scale) / scale
