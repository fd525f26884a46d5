"""The augmented language: what it writes it reads, and what is not of it is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from midline.model.intents.utterance import (
    AugmentedError,
    Slot,
    Utterance,
    parse_augmented,
    read_augmented,
    write_augmented,
)


def test_a_line_is_an_intent_a_text_and_its_slots() -> None:
    utterance = parse_augmented("((rename)) rename [foo|symbol] to [bar|new_name]")
    assert utterance.intent == "rename"
    assert utterance.text == "rename foo to bar"
    assert utterance.values() == (("symbol", "foo"), ("new_name", "bar"))


def test_an_escaped_bracket_is_text() -> None:
    utterance = parse_augmented(r"((search)) find \[x\] in [a\|b|query] | c")
    assert utterance.text == "find [x] in a|b | c"
    assert utterance.values() == (("query", "a|b"),)


@pytest.mark.parametrize(
    "line",
    [
        "rename foo", "((rename)) ", "((rename)) [foo|symbol", "((rename)) foo|symbol]",
        "((rename)) [foo]", "((rename)) [|symbol] x", "((rename)) [a [b|symbol]|symbol]",
        "((rename)) [foo|symbol|path]", "((rename)) [foo|a b]", "((rename)) foo \\",
    ],
)  # fmt: skip
def test_what_is_not_of_the_language_is_refused(line: str) -> None:
    with pytest.raises(AugmentedError):
        parse_augmented(line)


@given(st.text(r"ab[]|\ ()", max_size=12), st.text(r"x[]|\ ", min_size=1, max_size=6))
def test_what_is_written_is_read(before: str, inside: str) -> None:
    text = f"go {before}{inside}."
    slots = () if not inside.strip() else (Slot("symbol", 3 + len(before), len(text) - 1),)
    utterance = Utterance(text, "open", slots)
    assert parse_augmented(write_augmented(utterance)) == utterance


def test_comments_and_empty_lines_are_no_utterances() -> None:
    assert len(read_augmented(["# x", "", "((open)) open [a.py|path]"])) == 1
