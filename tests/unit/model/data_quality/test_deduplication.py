"""Exact and near duplicates: which are found, and which one is kept."""

import random

import numpy as np
import pytest

from midline.model.data_quality.deduplication import (
    PERMUTATIONS,
    Components,
    banding,
    join_equal,
    join_near,
    signatures,
    text_hash,
)
from midline.model.data_quality.shingles import jaccard, ngram_hashes, token_shingles, word_ngrams

ESTIMATE_ERROR = 5 * (0.25 / PERMUTATIONS) ** 0.5
"""Five standard errors of a similarity estimated from a signature."""


def text(seed: int, words: int = 300) -> list[str]:
    dice = random.Random(seed)
    return [f"w{dice.randrange(5000)}" for _ in range(words)]


def changed(words: list[str], share: float) -> list[str]:
    """The last `share` of the words replaced: about the same share of the shingles."""
    kept = round(len(words) * (1 - share))
    return words[:kept] + text(99, len(words) - kept)


def near_groups(texts: list[str], threshold: float) -> list[int]:
    pytest.importorskip("rensa")
    shingles = [token_shingles(t) for t in texts]
    components = Components(len(texts))
    empty = np.array([not len(s) for s in shingles])
    join_near(components, signatures(shingles), threshold, empty)
    return [components.first(n) for n in range(len(texts))]


def test_the_first_of_a_group_is_kept_in_whatever_order_pairs_are_found() -> None:
    pairs = [(3, 4), (1, 3), (0, 2), (4, 5)]
    for seed in range(10):
        components = Components(7)
        for pair in random.Random(seed).sample(pairs, len(pairs)):
            components.join(*random.Random(seed).sample(pair, 2))
        assert [components.first(n) for n in range(7)] == [0, 1, 0, 1, 1, 1, 6]


def test_equal_texts_are_joined_whatever_blanks_end_their_lines() -> None:
    texts = ["a\nb\n", "a  \nb", "a\nc", "\na\t\nb\n\n"]
    components = Components(4)
    join_equal(components, map(text_hash, texts))
    assert [components.first(n) for n in range(4)] == [0, 0, 2, 0]
    assert text_hash("  a") == text_hash("a") and text_hash("x\n  a") != text_hash("x\na")


def test_near_duplicates_are_joined_and_others_are_not() -> None:
    words = text(1)
    texts = [" ".join(w) for w in (words, text(2), changed(words, 0.03), text(3))]
    assert near_groups(texts, 0.8) == [0, 1, 0, 3]


def test_far_texts_are_not_joined() -> None:
    words = text(1)
    texts = [" ".join(words), " ".join(changed(words, 0.5))]
    assert jaccard(token_shingles(texts[0]), token_shingles(texts[1])) < 0.5
    assert near_groups(texts, 0.8) == [0, 1]


def test_empty_texts_are_like_nothing() -> None:
    assert near_groups(["", " \n", "a b c d e f", ""], 0.5) == [0, 1, 2, 3]


def test_signatures_estimate_the_jaccard_similarity_and_do_not_change() -> None:
    pytest.importorskip("rensa")
    words = text(4)
    sets = [token_shingles(" ".join(w)) for w in (words, changed(words, 0.2))]
    found = signatures(sets)
    assert found.shape == (2, PERMUTATIONS)
    assert (found[0] == found[1]).mean() == pytest.approx(jaccard(*sets), abs=ESTIMATE_ERROR)
    assert np.array_equal(found, signatures(sets))


@pytest.mark.parametrize("threshold", [0.2, 0.7, 0.8, 0.9, 1.0])
def test_bands_find_what_is_at_the_threshold(threshold: float) -> None:
    cut = banding(threshold)
    assert cut.bands * cut.rows <= PERMUTATIONS
    assert 1 - (1 - threshold**cut.rows) ** cut.bands > 0.9


def test_ngrams_are_told_apart_by_order_and_short_texts_are_one() -> None:
    assert len(ngram_hashes(["a", "b", "c"], 5)) == 1
    assert len(ngram_hashes([], 5)) == 0
    assert ngram_hashes(["a", "b"], 2) != ngram_hashes(["b", "a"], 2)
    assert len(token_shingles("a.b(c)")) == 2  # six tokens
    assert np.array_equal(word_ngrams("One, TWO!", 2), word_ngrams("one two", 2))
