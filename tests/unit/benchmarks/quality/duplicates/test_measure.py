"""Planted copies and what is counted of them."""

import random

import pytest

from midline.benchmarks.quality.duplicates.measure import Pair, scores
from midline.benchmarks.quality.duplicates.planted import KINDS, STRENGTHS, copies
from midline.benchmarks.quality.signals.documents import Document
from midline.model.data_quality.deduplication import signatures
from midline.model.data_quality.shingles import jaccard, token_shingles

TEXT = "\n".join(f"def name_{n}(a, b):\n    return a * {n} + b_{n}" for n in range(80))


@pytest.mark.parametrize("kind", KINDS)
def test_a_stronger_change_is_farther_away(kind: str) -> None:
    similarities = [
        jaccard(token_shingles(TEXT), token_shingles(KINDS[kind](TEXT, s, random.Random(1))))
        for s in (STRENGTHS[0], STRENGTHS[-1])
    ]
    assert 1 > similarities[0] > similarities[1] > 0


def test_copies_are_the_same_every_time() -> None:
    document = Document("python", "a.py", TEXT)
    assert list(copies(document, 1)) == list(copies(document, 1))
    assert len(list(copies(document, 1))) == len(KINDS) * len(STRENGTHS)


def test_what_is_counted() -> None:
    pytest.importorskip("rensa")
    other = TEXT.replace("name_1", "other_1").replace("return", "yield from")
    found = signatures([token_shingles(t) for t in (TEXT, TEXT, other, "unlike anything else")])
    pairs = [
        Pair("edited", 1.0, 0, 1),
        Pair("edited", 0.95, 0, 3),  # said to be a duplicate, and not found
        Pair("other files", 0.1, 0, 3),
        Pair("renamed", 0.2, 0, 1),  # said to be none, and found
    ]
    every, edited, renamed = scores(pairs, found, 0.8)
    assert (every["duplicates"], every["found"], every["joined"]) == (2, 1, 2)
    assert (every["recall"], every["precision"]) == (0.5, 0.5)
    assert every["least_similarity_joined"] == 0.2
    assert (edited["recall"], edited["precision"]) == (0.5, 1)
    assert (renamed["recall"], renamed["precision"]) == (None, 0)
