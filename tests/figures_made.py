"""A figure and a result to look it up in, for the tests of `midline-bench figures`."""

from typing import Any

from midline.benchmarks.figures.figure import Figure


def figure(**changes: str) -> Figure:
    """A figure of speed that wants 3.0, with `changes`."""
    fields = {
        "name": "speed",
        "command": "midline-bench speed prefill --json benchmarks/results/speed.json",
        "result": "speed.json",
        "value": "ratio",
        "wanted": ">= 3.0",
        "unit": "x",
    }
    return Figure(**{**fields, **changes})


RESULT: dict[str, Any] = {
    "ratio": 2.5,
    "nested": {"deeper": 7},
    "rows": [{"engine": "a", "path": "x", "kl": 1}, {"engine": "a", "path": "y", "kl": 2}],
}
