"""Overlap of texts with a benchmark: shared n-grams of words, and near duplicates.

A document is contaminated if it shares a 13-gram of words with an item of the benchmark, as in
GPT-3's analysis (arXiv 2005.14165, appendix C). Words are in lower case and marks do not count. An
item that is shorter is one n-gram and is found only in a document that is that text. N-grams that
two and more items of the benchmark share are its own boilerplate (a licence, a prompt's frame) and
do not count, if there are enough others.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from midline.model.data_quality.shingles import (
    OVERLAP,
    Hashes,
    jaccard,
    token_shingles,
    word_ngrams,
)

NEAR = 0.7
"""Jaccard similarity of token 5-grams from which a document is a near duplicate of an item."""


@dataclass(frozen=True)
class Hit:
    """A document's overlap with one item: the share of the item's n-grams that it has, 0 to 1."""

    item: str
    shared: int
    share: float
    similarity: float

    @property
    def is_near(self) -> bool:
        """Whether the document as a whole is nearly the item."""
        return self.similarity >= NEAR


class Benchmark:
    """The items of a benchmark, searchable for texts that overlap with them."""

    def __init__(self, items: Iterable[tuple[str, str]], n: int = OVERLAP) -> None:
        """Of ids and texts; items without words are left out."""
        self._n = n
        kept = [(id, word_ngrams(text, n), token_shingles(text)) for id, text in items]
        kept = [(id, grams, shingles) for id, grams, shingles in kept if len(grams)]
        self.ids = [id for id, _, _ in kept]
        self._shingles = [shingles for _, _, shingles in kept]
        counts = Counter(h for _, grams, _ in kept for h in grams.tolist())
        own = [_without_shared(grams, counts) for _, grams, _ in kept]
        self._sizes = [len(grams) for grams in own]
        every = np.concatenate(own) if own else np.zeros(0, np.uint64)
        of = np.repeat(np.arange(len(own)), self._sizes)
        order = np.argsort(every, kind="stable")
        self._hashes: Hashes = every[order]
        self._items = of[order]

    def __len__(self) -> int:
        return len(self.ids)

    def hits(self, text: str) -> list[Hit]:
        """The items that share an n-gram with `text`, those with the greatest share first."""
        grams = word_ngrams(text, self._n)
        low = np.searchsorted(self._hashes, grams, "left")
        high = np.searchsorted(self._hashes, grams, "right")
        found = Counter(
            int(item)
            for start, end in zip(low[low < high], high[low < high], strict=True)
            for item in self._items[start:end]
        )
        shingles = token_shingles(text) if found else None
        hits = [
            Hit(self.ids[item], count, count / self._sizes[item],
                jaccard(self._shingles[item], shingles) if shingles is not None else 0.0)
            for item, count in found.items()
        ]  # fmt: skip
        return sorted(hits, key=lambda hit: (-hit.share, hit.item))


def _without_shared(grams: Hashes, counts: Counter[int]) -> Hashes:
    own = np.array([h for h in grams.tolist() if counts[h] == 1], np.uint64)
    return own if 2 * len(own) >= len(grams) else grams
