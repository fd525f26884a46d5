"""The claims of "Greener yet Powerful" (arXiv 2303.05378), held against the rows of a study."""

from collections.abc import Sequence
from typing import Any

from midline.benchmarks.quality.quantization.subjects import REFERENCE
from midline.benchmarks.quality.quantization.table import Row, mean_drop

INT8, WEIGHTS = "onnx-int8", "onnx-int8-weights"
GRANULARITIES = ((WEIGHTS, "onnx-int8-weights-tensor"), ("int8-channel", "int8-tensor"))
ENOUGH = 300
"""Problems without which a difference in pass@1 is not called a result."""


def claims(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """Name, whether it held here (None: not measured), and a sentence with the figure."""
    by_name = {row["name"]: row for row in rows}
    return [
        _int8(by_name.get(INT8, {})),
        _channel([[by_name.get(name, {}) for name in pair] for pair in GRANULARITIES]),
        _activations(by_name.get(INT8, {}), by_name.get(WEIGHTS, {})),
        _robustness(by_name.get(INT8, {}), by_name.get(REFERENCE, {})),
        _summaries(by_name.get(INT8, {})),
    ]


def _claim(name: str, held: bool | None, figure: str) -> dict[str, Any]:
    word = {True: "held here", False: "not held here", None: "not measured"}[held]
    return {"name": name, "held": held, "sentence": f"{name}: {word}{': ' * bool(figure)}{figure}"}


def _int8(row: Row) -> dict[str, Any]:
    name = "int8 without significant loss"
    found = row.get("mbxp", {}).get("python", {}).get("against")
    if not found or found["cases"] < ENOUGH:
        return _claim(name, None, "")
    gap, low, high = (100 * value for value in (found["difference"], *found["interval"]))
    figure = f"{gap:+.1f} points [{low:+.1f}, {high:+.1f}] on {found['cases']} Python problems"
    held = found["p_value"] >= 0.05 or gap > 0
    return _claim(name, held, f"{figure}, p = {found['p_value']}")


def _channel(pairs: Sequence[Sequence[Row]]) -> dict[str, Any]:
    """By the first pair (per channel, per tensor) of which both are measured."""
    name = "per-channel weights above per-tensor"
    for channel, tensor in pairs:
        if "nats" in channel and "nats" in tensor:
            one, other = channel["nats"]["difference"], tensor["nats"]["difference"]
            figure = f"{one:+.4f} nats a token ({channel['name']}) against {other:+.4f}"
            return _claim(name, one < other, f"{figure} ({tensor['name']})")
    return _claim(name, None, "")


def _activations(both: Row, weights: Row) -> dict[str, Any]:
    name = "activations more sensitive than weights"
    if "nats" not in both or "nats" not in weights:
        return _claim(name, None, "")
    of_weights = weights["nats"]["difference"]
    of_activations = both["nats"]["difference"] - of_weights
    return _claim(name, of_activations > of_weights,
                  f"8-bit activations cost {of_activations:+.4f} nats a token, "
                  f"8-bit weights {of_weights:+.4f}")  # fmt: skip


def _robustness(row: Row, reference: Row) -> dict[str, Any]:
    name = "robustness not lost"
    found = row.get("robust", {}).get("against")
    drops = [mean_drop(row), mean_drop(reference)]
    if not found or None in drops:
        return _claim(name, None, "")
    mine, other = (float(drop or 0) for drop in drops)
    gap, low, high = (100 * value for value in (found["difference"], *found["interval"]))
    figure = (
        f"robust passes {gap:+.1f} points [{low:+.1f}, {high:+.1f}] on {found['cases']} pairs of "
        f"problem and family; relative drop {mine:.1%}, float32 {other:.1%}"
    )
    return _claim(name, found["p_value"] >= 0.05 or gap > 0, figure)


def _summaries(row: Row) -> dict[str, Any]:
    name = "carries over to summarization"
    found = row.get("summaries", {}).get("against")
    if not found:
        return _claim(name, None, "")
    gap = found["chrf"]
    low, high = gap["interval"]
    return _claim(name, low <= 0 <= high or gap["difference"] > 0,
                  f"chrF {gap['difference']:+.2f} [{low:+.2f}, {high:+.2f}] on "
                  f"{found['problems']} docstrings")  # fmt: skip
