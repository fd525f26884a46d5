"""Perplexity of a document under a small n-gram model (CCNet, arXiv 1911.00359).

CCNet scores web text with a 5-gram model of Wikipedia with Kneser-Ney smoothing. This is the same
model, interpolated, with one discount for each order, over normalized words and trained on texts of
the user's. The score is 10^(-log10 p / words) as CCNet has it, with one closing token a document.
Buckets are the tertiles of the training text's own documents.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log
from pathlib import Path

from midline.model.atomic_write import atomic_write
from midline.model.data_quality.views import Spans, Views
from midline.model.errors import UsageError

ORDER = 5
_BEGIN, _END = "\x02", "\x03"
_DISCOUNT = 0.75
BUCKET_NAMES = ("head", "middle", "tail")

Gram = tuple[str, ...]


@dataclass(frozen=True)
class _Order:
    """Counts of the n-grams of one order, and what follows each context."""

    counts: dict[Gram, int]
    totals: dict[Gram, int]
    followers: dict[Gram, int]


class NgramModel:
    """An interpolated Kneser-Ney model of order `ORDER` over words."""

    def __init__(self, grams: dict[Gram, int], limits: tuple[float, float] = (0.0, 0.0)) -> None:
        """Of counts of the longest n-grams; `limits` are perplexities between the buckets."""
        self._grams, self.limits = grams, limits
        self._orders = [_order(counts) for counts in _continuation_counts(grams)]
        self._words = len(self._orders[0].counts) + 1  # and all that are unknown

    @classmethod
    def fit(cls, texts: Iterable[str]) -> "NgramModel":
        """Trained on `texts`, the buckets set by their own perplexities; UsageError for none."""
        kept = [words for text in texts if (words := _words(Views(text)))]
        if not kept:
            raise UsageError("an n-gram model needs a text with words; name one")
        model = cls(Counter(gram for words in kept for gram in _longest(words)))
        found = sorted(model.perplexity(words) for words in kept)
        limits = found[len(found) // 3], found[min(2 * len(found) // 3, len(found) - 1)]
        return cls(model._grams, limits)

    @classmethod
    def load(cls, path: Path) -> "NgramModel":
        """What `save` has written; UsageError for another file."""
        try:
            found = json.loads(path.read_text("utf-8"))
            grams = {tuple(key.split(" ")): int(count) for key, count in found["grams"].items()}
            low, high = map(float, found["limits"])
            if not grams or any(len(g) != ORDER or n < 1 for g, n in grams.items()):
                raise ValueError("its n-grams are not of order 5")
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsageError(f"{path} is not an n-gram model ({error}); train it again") from error
        return cls(grams, (low, high))

    def save(self, path: Path) -> None:
        """Writes the model, whole or not at all."""
        grams = {" ".join(gram): count for gram, count in self._grams.items()}
        atomic_write(path, json.dumps({"grams": grams, "limits": self.limits}).encode())

    def probability(self, gram: Gram) -> float:
        """Of the last word of `gram` behind the others, at most `ORDER` words in all."""
        p = 1 / self._words
        for size, order in enumerate(self._orders, 1):
            if size > len(gram):
                break
            part = gram[-size:]
            total = order.totals.get(part[:-1], 0)
            if total:
                seen = max(order.counts.get(part, 0) - _DISCOUNT, 0)
                p = (seen + _DISCOUNT * order.followers[part[:-1]] * p) / total
        return p

    def perplexity(self, words: Sequence[str]) -> float:
        """Of a document: exp of the mean negative log probability of its words and its end."""
        logs = sum(log(self.probability(gram)) for gram in _longest(words))
        return exp(-logs / (len(words) + 1))

    def signal(self, views: Views) -> Spans:
        """The perplexity of a document; None if it has no words."""
        words = _words(views)
        return views.document(self.perplexity(words) if words else None)

    def bucket(self, perplexity: float) -> str:
        """`head`, `middle` or `tail`, the most likely documents first."""
        return BUCKET_NAMES[sum(perplexity > limit for limit in self.limits)]


def _words(views: Views) -> list[str]:
    words = views.normalized
    return [words.distinct[i] for i in words.ids]


def _longest(words: Sequence[str]) -> list[Gram]:
    """The n-grams of order `ORDER` that end with each word and with the end of the document."""
    padded = [*[_BEGIN] * (ORDER - 1), *words, _END]
    return [tuple(padded[i : i + ORDER]) for i in range(len(words) + 1)]


def _continuation_counts(grams: dict[Gram, int]) -> list[dict[Gram, int]]:
    """The counts of every order, the lowest first.

    Below the longest, an n-gram counts how many different words it stands behind, except those that
    begin a document, which stand behind nothing and count how often they occur.
    """
    orders: list[dict[Gram, int]] = [grams]
    for _ in range(ORDER - 1):
        lower: dict[Gram, int] = defaultdict(int)
        for gram, count in orders[0].items():
            lower[gram[1:]] += count if gram[1] == _BEGIN else 1
        orders.insert(0, dict(lower))
    return orders


def _order(counts: dict[Gram, int]) -> _Order:
    totals: dict[Gram, int] = defaultdict(int)
    followers: dict[Gram, int] = defaultdict(int)
    for gram, count in counts.items():
        totals[gram[:-1]] += count
        followers[gram[:-1]] += 1
    return _Order(counts, dict(totals), dict(followers))
