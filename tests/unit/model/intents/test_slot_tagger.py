"""The tagger: the best path, no inside without a begin, and it learns what it is shown."""

from itertools import product

import numpy as np

from midline.model.intents.schema import tags_of
from midline.model.intents.slot_tagger import allowed_transitions, learn_tags, viterbi

TAGS = tags_of(("symbol", "path"))


def test_viterbi_finds_the_best_of_all_paths() -> None:
    rng = np.random.default_rng(0)
    scores, transitions = rng.normal(size=(4, 5)), rng.normal(size=(5, 5))

    def total(path: tuple[int, ...]) -> float:
        before = (0, *path)
        return sum(scores[at, tag] + transitions[before[at], tag] for at, tag in enumerate(path))

    best = max(product(range(5), repeat=4), key=total)
    assert viterbi(scores, transitions) == list(best)


def test_an_inside_follows_its_own_slot() -> None:
    may = allowed_transitions(TAGS)
    inside, begin, other = TAGS.index("I-path"), TAGS.index("B-path"), TAGS.index("B-symbol")
    assert may[begin, inside] and may[inside, inside]
    assert not may[0, inside] and not may[other, inside]


def test_it_learns_what_it_is_shown_and_the_same_from_the_same() -> None:
    sentences = [[[1], [2, 5]], [[1], [3], [4]]]
    labels = [[0, 1], [0, 3, 4]]
    tagger = learn_tags(sentences, labels, TAGS, 8, epochs=10, seed=0)
    again = learn_tags(sentences, labels, TAGS, 8, epochs=10, seed=0)
    everything = np.ones(len(TAGS), bool)
    assert [tagger.tag(rows, everything) for rows in sentences] == labels
    assert np.array_equal(tagger.emissions, again.emissions)


def test_a_tag_that_is_not_allowed_is_not_given() -> None:
    tagger = learn_tags([[[1]]], [[1]], TAGS, 4, epochs=3, seed=0)
    allowed = np.ones(len(TAGS), bool)
    assert tagger.tag([[1]], allowed) == [1]
    allowed[1] = False
    assert tagger.tag([[1]], allowed) != [1]
    assert tagger.tag([], allowed) == []
