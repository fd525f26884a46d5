"""A quality classifier: how much a document looks like one text rather than another.

RedPajama-V2 scores documents with fastText models (Wikipedia references, books and Wikipedia
against Common Crawl). Here the same kind of model, logistic regression over hashed words and word
pairs, is trained on texts of the user's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midline.model.atomic_write import atomic_write
from midline.model.data_quality.importance import buckets_of
from midline.model.data_quality.npz import npz_bytes, read_npz
from midline.model.data_quality.views import Ints, Spans, Views, Words
from midline.model.errors import UsageError

BUCKETS = 1 << 16
_EPOCHS = 10
_RATE = 0.5
_DECAY = 1e-6
_MAX_LOGIT = 30.0


@dataclass(frozen=True)
class QualityClassifier:
    """Weights of the buckets, [buckets], and the bias."""

    weights: NDArray[np.float64]
    bias: float

    @classmethod
    def fit(
        cls, good: Sequence[str], bad: Sequence[str], seed: int = 0, buckets: int = BUCKETS
    ) -> "QualityClassifier":
        """Trained by stochastic gradient descent with AdaGrad; UsageError without either kind."""
        if not good or not bad:
            raise UsageError("a classifier needs texts of both kinds; name a file for each")
        examples = [(_features(Views(t).raw, buckets), 1.0) for t in good]
        examples += [(_features(Views(t).raw, buckets), 0.0) for t in bad]
        weights, squares = np.zeros(buckets + 1), np.full(buckets + 1, 1e-8)
        dice = np.random.default_rng(seed)
        for _ in range(_EPOCHS):
            for number in dice.permutation(len(examples)):
                (at, values), label = examples[number]
                at, values = np.append(at, buckets), np.append(values, 1.0)
                slope = _sigmoid(float(weights[at] @ values)) - label
                gradient = slope * values + _DECAY * weights[at]
                squares[at] += gradient**2
                weights[at] -= _RATE * gradient / np.sqrt(squares[at])
        return cls(weights[:-1], float(weights[-1]))

    @classmethod
    def load(cls, path: Path) -> "QualityClassifier":
        """What `save` has written; UsageError for another file."""
        found = read_npz(path, "weights", "bias")
        return cls(found["weights"].astype(np.float64), float(found["bias"].astype(np.float64)))

    def save(self, path: Path) -> None:
        """Writes the model, whole or not at all."""
        atomic_write(path, npz_bytes(weights=self.weights, bias=np.float64(self.bias)))  # type: ignore[arg-type]

    def score(self, words: Words) -> float:
        """The probability that a document is of the good kind, 0 to 1."""
        at, values = _features(words, len(self.weights))
        return _sigmoid(float(self.weights[at] @ values) + self.bias)

    def signal(self, views: Views) -> Spans:
        """The score of a document; None if it is empty."""
        return views.document(self.score(views.raw) if len(views) else None)


def _features(words: Words, buckets: int) -> tuple[Ints, NDArray[np.float64]]:
    """The buckets of a document and their shares of its features, scaled to length 1."""
    singles, pairs = buckets_of(words, buckets)
    every = np.concatenate((singles[words.ids], pairs))
    at, counts = np.unique(every, return_counts=True)
    values = np.log1p(counts)
    return at, values / max(float(np.linalg.norm(values)), 1e-12)


def _sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-np.clip(logit, -_MAX_LOGIT, _MAX_LOGIT))))
