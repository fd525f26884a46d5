"""Importance weights of documents for a target corpus (DSIR, arXiv 2302.03169).

A document's features are its raw words and pairs of neighbouring raw words, hashed into buckets;
its weight is Σ over buckets of count · (ln p_target - ln p_source), in nats. RedPajama-V2 has such
a weight for books, OpenWebText and Wikipedia; here source and target are texts of the user's.

The hash is XXH64, so that weights are the same in every process: RedPajama's are Python's `hash`,
which is salted unless PYTHONHASHSEED is set. RedPajama's length correction is left out: it fits a
Poisson distribution to lengths in words and evaluates it at lengths in characters, where both
probabilities vanish and the constant 1e-8 decides.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from midline.model.atomic_write import atomic_write
from midline.model.data_quality.npz import npz_bytes, read_npz
from midline.model.data_quality.views import Ints, Spans, Views, Words
from midline.model.errors import UsageError

BUCKETS = 10_000
"""As in DSIR and RedPajama-V2."""
SMOOTHING = 1e-8


def buckets_of(words: Words, buckets: int) -> tuple[Ints, Ints]:
    """The buckets of the distinct words, [distinct], and of the pairs in order, [words - 1]."""
    size = np.uint64(buckets)
    return (words.hashes % size).astype(np.int64), (words.pair_hashes % size).astype(np.int64)


def feature_counts(words: Words, buckets: int = BUCKETS) -> Ints:
    """How often each bucket occurs among the features of a document, [buckets]."""
    singles, pairs = buckets_of(words, buckets)
    counts = np.bincount(pairs, minlength=buckets)
    np.add.at(counts, singles, words.counts)
    return counts


@dataclass(frozen=True)
class ImportanceModel:
    """ln p_target - ln p_source for each bucket, [buckets]."""

    log_ratio: NDArray[np.float64]

    @classmethod
    def from_counts(cls, target: Ints, source: Ints) -> "ImportanceModel":
        """Of feature counts over whole corpora; UsageError if either is empty."""
        if not target.sum() or not source.sum():
            raise UsageError("the target or the source corpus has no words; name texts that have")
        p, q = target / target.sum(), source / source.sum()
        return cls(np.log(p + SMOOTHING) - np.log(q + SMOOTHING))

    @classmethod
    def fit(
        cls, target: Iterable[str], source: Iterable[str], buckets: int = BUCKETS
    ) -> "ImportanceModel":
        """Of the texts of two corpora."""
        return cls.from_counts(corpus_counts(target, buckets), corpus_counts(source, buckets))

    @classmethod
    def load(cls, path: Path) -> "ImportanceModel":
        """What `save` has written; UsageError for another file."""
        return cls(read_npz(path, "log_ratio")["log_ratio"].astype(np.float64))

    def save(self, path: Path) -> None:
        """Writes the model, whole or not at all."""
        atomic_write(path, npz_bytes(log_ratio=self.log_ratio))

    def weight(self, words: Words) -> float:
        """The log importance weight of a document, in nats."""
        singles, pairs = buckets_of(words, len(self.log_ratio))
        return float(self.log_ratio[singles] @ words.counts + self.log_ratio[pairs].sum())

    def signal(self, views: Views) -> Spans:
        """The weight of a document; None if it is empty."""
        return views.document(self.weight(views.raw) if len(views) else None)


def corpus_counts(texts: Iterable[str], buckets: int = BUCKETS) -> Ints:
    """Feature counts of all texts together, [buckets]."""
    total = np.zeros(buckets, np.int64)
    for text in texts:
        total += feature_counts(Views(text).raw, buckets)
    return total


def resample(weights: Sequence[float], count: int, seed: int = 0) -> list[int]:
    """The documents that DSIR draws without replacement by log weights, in their order.

    The `count` largest of weight plus Gumbel noise; the same seed draws the same documents.
    """
    noise = np.random.default_rng(seed).gumbel(size=len(weights))
    order = np.argsort(-(np.asarray(weights, np.float64) + noise), kind="stable")
    return sorted(order[:count].tolist())
