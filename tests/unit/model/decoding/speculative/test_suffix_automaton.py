"""The suffix automaton against a search through the whole text."""

import random

import pytest

from midline.model.decoding.speculative.suffix_automaton import SuffixAutomaton


def longest_seen_before(tokens: list[int]) -> int:
    """Length of the longest suffix that also ends before the last token."""
    for length in range(len(tokens) - 1, 0, -1):
        suffix = tokens[-length:]
        if any(tokens[i : i + length] == suffix for i in range(len(tokens) - length)):
            return length
    return 0


@pytest.mark.parametrize("letters", [1, 2, 3, 10])
def test_matches_are_the_longest_and_go_on_as_before(letters: int) -> None:
    for seed in range(12):
        rng = random.Random(seed)
        text, automaton = [], SuffixAutomaton()
        for _ in range(60):
            text.append(rng.randrange(letters))
            automaton.extend(text[-1:])
            assert automaton.matched == longest_seen_before(text)
            found = automaton.continuation(5)
            if not automaton.matched:
                assert found == []
                continue
            suffix = text[-automaton.matched :]
            longer = text + found
            ends = [i for i in range(len(suffix), len(text)) if text[i - len(suffix) : i] == suffix]
            assert any(longer[i : i + 5] == found for i in ends)


def test_the_latest_place_is_taken_where_one_is_known() -> None:
    automaton = SuffixAutomaton()
    automaton.extend([1, 2, 7, 1, 2, 8, 1, 2])
    assert automaton.matched == 2
    assert automaton.continuation(2) == [8, 1]
    automaton.extend([7])  # the first continuation again: one token more matches the first place
    assert (automaton.matched, automaton.continuation(3)) == (3, [1, 2, 8])


def test_a_period_goes_on_beyond_the_text() -> None:
    automaton = SuffixAutomaton()
    automaton.extend([4, 5, 6] * 3)
    assert automaton.matched == 6
    assert automaton.continuation(8) == [4, 5, 6, 4, 5, 6, 4, 5]


def test_an_empty_text_matches_nothing() -> None:
    assert (SuffixAutomaton().matched, SuffixAutomaton().continuation(3)) == (0, [])
