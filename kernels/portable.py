"""What the other rooms need of the kernels where none were built: sampling, in NumPy.

With this alone the ONNX engine runs. The native engine does not: `kernel_name` raises, and nothing
can be made of the classes that stand for its parts.
"""

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

LAYOUT_VERSION, MAX_ROWS, PAGE_TOKENS, UNIT = 2, 512, 32, 128
SENTENCE = (
    "no kernels were built for this machine; use --engine onnx, or build Midline with a compiler"
)
_NEGLIGIBLE = 25.0
_MASK = (1 << 64) - 1


class CancelFlag(threading.Event):
    """A flag that another thread sets."""


class _Missing:
    """Stands for a compiled class."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise ValueError(SENTENCE)


class Decoder(_Missing):
    """See `_native`."""


class DecoderConfig(_Missing):
    """See `_native`."""


class Layer(_Missing):
    """See `_native`."""


class Matrix(_Missing):
    """See `_native`."""


class Thresholds(_Missing):
    """See `_native`."""


def kernel_name(*_: Any, **__: Any) -> Any:
    """Raises ValueError: there are no kernels."""
    raise ValueError(SENTENCE)


add_column_squares = allocate = dot_rate = huge_page_bytes = pack_screen = kernel_name
read_bandwidth = release_pages = screen_bytes = sparsify = kernel_name


def log_sum_exp(logits: NDArray[np.float32]) -> float:
    """Logarithm of the sum of the exponentials of `logits`, float32 [n]."""
    most = float(logits.max(initial=-np.inf))
    if not np.isfinite(most):
        return most
    return most + float(np.log(np.exp(logits.astype(np.float64) - most).sum()))


def uniform(seed: int, sample: int, position: int) -> float:
    """A number in [0, 1) that depends on its three keys alone, that of the compiled function."""
    return (_mix(_mix(_mix(seed) ^ sample) ^ position) >> 11) * 2.0**-53


def _mix(z: int) -> int:
    """The finalizer of SplitMix64."""
    z = (z + 0x9E3779B97F4A7C15) & _MASK
    z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & _MASK
    return z ^ (z >> 31)


def choose(
    logits: NDArray[np.float32],
    log_sum: float,
    *,
    temperature: float = 0.0,
    top_p: float = 1.0,
    min_p: float = 0.0,
    allowed: NDArray[np.int32] | None = None,
    **keys: int,
) -> tuple[int, float]:
    """The next token and its log-probability, as the compiled function chooses it.

    keys: seed, sample and position of the random number. Raises ValueError if no logit is a number.
    """
    ids = np.arange(len(logits)) if allowed is None else np.sort(allowed)
    own = logits[ids].astype(np.float64)
    own[np.isnan(own)] = -np.inf
    best = int(own.argmax())
    if own[best] == -np.inf:
        raise ValueError("the logits are not numbers")
    if not temperature > 0:
        return int(ids[best]), float(own[best]) - log_sum
    weights = np.exp((own - own[best]) / temperature)
    order = np.argsort(-own, kind="stable")
    order = order[own[order] >= own[best] - _NEGLIGIBLE * temperature]
    sums = np.cumsum(weights[order])
    before = np.concatenate([[0.0], sums[:-1]])
    stops = (before >= top_p * sums[-1]) | (weights[order] < min_p)
    count = max(1, int(stops.argmax()) if stops.any() else len(order))
    target = uniform(keys.get("seed", 0), keys.get("sample", 0), keys.get("position", 0))
    chosen = order[min(int(np.searchsorted(sums, target * sums[count - 1], "right")), count - 1)]
    return int(ids[chosen]), float(own[chosen]) - log_sum
