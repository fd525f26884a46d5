"""The shared forms of a document: words, lines, and the n-grams that repeat."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from midline.model.data_quality.views import (
    RepeatedNgrams,
    Views,
    Words,
    code_points,
    count_by_line,
    has_property,
)

WORDS = st.lists(st.sampled_from(["a", "b", "c", "dd"]), max_size=60)


@given(WORDS, st.integers(1, 8))
def test_repeated_ngrams_are_those_that_occur_twice(words: list[str], n: int) -> None:
    grams = [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]
    counts = Counter(grams)
    groups = RepeatedNgrams(Words.of(words)).groups(n)
    assert len(groups) == len(words)
    for at, gram in enumerate(grams):
        assert (groups[at] >= 0) == (counts[gram] > 1)
    numbers = {gram: groups[at] for at, gram in enumerate(grams) if counts[gram] > 1}
    assert len(set(numbers.values())) == len(numbers)
    for at, gram in enumerate(grams):
        if counts[gram] > 1:
            assert groups[at] == numbers[gram]


@given(st.text())
def test_lines_cover_the_text(text: str) -> None:
    views = Views(text)
    ends, starts = views.line_ends.tolist(), views.line_starts.tolist()
    assert "".join(text[s:e] for s, e in zip(starts, ends, strict=True)) == text
    assert starts == [0, *ends][: len(starts)]
    assert len(views.words_per_line) == len(views.lines)
    assert int(views.words_per_line.sum()) == len(views.normalized)


@pytest.mark.parametrize("method", ["isupper", "isnumeric", "isalpha"])
@pytest.mark.parametrize("text", ["Ab1", "Éß٣½", "𝔘𝟏😀a"])
def test_properties_are_those_of_str(method: str, text: str) -> None:
    found = has_property(code_points(text), method)
    assert found.tolist() == [getattr(character, method)() for character in text]


def test_flags_are_counted_by_line() -> None:
    flags = np.array([1, 0, 1, 1, 0], np.bool_)
    assert count_by_line(flags, np.array([0, 2, 3])).tolist() == [1, 1, 1]


def test_hashes_are_the_same_in_every_process() -> None:
    words = Words.of(["alpha", "beta", "alpha"])
    assert words.hashes.tolist() == [14364478406410262600, 17721147283167156420]
    assert words.pair_hashes[0] != words.pair_hashes[1]
