"""Documents as sets of hashed n-grams of tokens, for near duplicates and overlap.

RedPajama's near-duplicate detection takes 13-grams of words from which punctuation was deleted
without a blank in its place, so that `a.b(c)` is one word, and gives documents of fewer than 13
words no signature. Here tokens are those of a lexer, every mark a token of its own; documents that
are shorter than an n-gram are one n-gram.
"""

import re

import numpy as np
import xxhash
from numpy.typing import NDArray

SHINGLE = 5
"""Tokens of a shingle of near-duplicate detection (FineWeb, arXiv 2406.17557)."""
OVERLAP = 13
"""Words of an n-gram that counts as overlap with a benchmark (GPT-3, arXiv 2005.14165)."""
_TOKENS = re.compile(r"\w+|[^\w\s]")
_WORDS = re.compile(r"\w+")
_FACTOR = np.uint64(0x9E3779B97F4A7C15)

Hashes = NDArray[np.uint64]


def token_shingles(text: str, n: int = SHINGLE) -> Hashes:
    """The distinct hashes of the n-grams of tokens, sorted; none for a text without tokens."""
    return np.unique(ngram_hashes(_TOKENS.findall(text), n))


def word_ngrams(text: str, n: int = OVERLAP) -> Hashes:
    """The distinct hashes of the n-grams of words in lower case, sorted; marks do not count."""
    return np.unique(ngram_hashes(_WORDS.findall(text.lower()), n))


def ngram_hashes(tokens: list[str], n: int) -> Hashes:
    """A hash for each n-gram in order, [tokens - n + 1]; one of them all if there are fewer."""
    if not tokens:
        return np.zeros(0, np.uint64)
    known = {token: _hash(token) for token in set(tokens)}
    hashes = np.fromiter(map(known.__getitem__, tokens), np.uint64, len(tokens))
    size = min(n, len(tokens))
    count = len(tokens) - size + 1
    result = np.zeros(count, np.uint64)
    for at in range(size):
        result = result * _FACTOR + hashes[at : at + count]
    return (result ^ (result >> np.uint64(29))) * _FACTOR


def jaccard(first: Hashes, second: Hashes) -> float:
    """Shared over all n-grams of two sets, 0 to 1; 1 for two empty sets."""
    shared = len(np.intersect1d(first, second, assume_unique=True))
    whole = len(first) + len(second) - shared
    return shared / whole if whole else 1.0


def _hash(token: str) -> int:
    return xxhash.xxh64_intdigest(token.encode("utf-8", "surrogatepass"))
