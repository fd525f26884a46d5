"""Multinomial logistic regression over hashed features, learned by Adagrad.

Logistic and not a perceptron, because a probability is wanted: a sentence that nothing is likely
for is out of scope.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_RATE = 0.5
_EPSILON = 1e-6


@dataclass(frozen=True)
class IntentClassifier:
    """weights: float32 [features, intents]; bias: float32 [intents]."""

    weights: NDArray[np.float32]
    bias: NDArray[np.float32]

    def probabilities(self, features: Sequence[int]) -> NDArray[np.float32]:
        """The probability of every intent for a sentence with these features, shape [intents]."""
        scale = 1 / np.sqrt(max(len(features), 1))
        return _softmax(self.weights[features].sum(axis=0) * scale + self.bias)


def _softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    raised = np.exp(logits - logits.max())
    return raised / raised.sum()


def learn_intents(
    sentences: Sequence[Sequence[int]],
    labels: Sequence[int],
    shape: tuple[int, int],
    *,
    epochs: int,
    seed: int,
    decay: float = 1e-5,
) -> IntentClassifier:
    """The classifier of `sentences` (their features) with `labels`; `shape` is that of its weights.

    The same input gives the same weights. `decay` is the rate of the L2 penalty.
    """
    weights, bias = np.zeros(shape, np.float32), np.zeros(shape[1], np.float32)
    squares, bias_squares = np.full(shape, _EPSILON, np.float32), np.full(shape[1], _EPSILON)
    rng = np.random.default_rng(seed)
    rows = [np.asarray(features, np.int64) for features in sentences]
    for _ in range(epochs):
        for number in rng.permutation(len(rows)):
            features = rows[number]
            scale = np.float32(1 / np.sqrt(max(len(features), 1)))
            error = _softmax(weights[features].sum(axis=0) * scale + bias)
            error[labels[number]] -= 1
            gradient = error * scale + decay * weights[features]
            squares[features] += gradient**2
            weights[features] -= _RATE * gradient / np.sqrt(squares[features])
            bias_squares += error**2
            bias -= (_RATE * error / np.sqrt(bias_squares)).astype(np.float32)
    return IntentClassifier(weights, bias)
