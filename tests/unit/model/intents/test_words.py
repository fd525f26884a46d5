"""Words: slots begin and end with one, whatever signs stand around them."""

import pytest

from midline.model.intents.utterance import parse_augmented
from midline.model.intents.words import MAX_WORDS, slots_of_tags, tags_of_slots, words_of


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('open "my file.py"', ["open", '"', "my", "file.py", '"']),
        ("what's foo()?", ["what", "'s", "foo()", "?"]),
        ("go to app.py:12", ["go", "to", "app.py", ":", "12"]),
        ("foo->bar, x=2", ["foo", "->", "bar", ",", "x", "=", "2"]),
        ("lines 10-20.", ["lines", "10-20", "."]),
        ("C:\\code\\a.py", ["C:\\code\\a.py"]),
        ("find print( here", ["find", "print(", "here"]),
        ("", []),
        ("???", ["?", "?", "?"]),
    ],
)
def test_how_a_text_is_cut(text: str, words: list[str]) -> None:
    found = words_of(text)
    assert [word.text for word in found] == words
    assert all(text[word.start : word.end] == word.text for word in found)


@pytest.mark.parametrize(
    "line",
    [
        '((open)) open "[my scripts/load data.py|path]" at [3|line]',
        "((rename)) [foo|symbol]->[bar|new_name]",
        "((explain)) what's `[Cart.add|symbol]`?",
        "((configure)) [temperature|setting]=[0.2|value]",
    ],
)
def test_tags_say_what_the_slots_say(line: str) -> None:
    utterance = parse_augmented(line)
    words = words_of(utterance.text)
    assert slots_of_tags(words, tags_of_slots(words, utterance.slots)) == utterance.slots


def test_an_inside_without_a_begin_begins_a_slot() -> None:
    words = words_of("a b c")
    (slot,) = slots_of_tags(words, ["O", "I-path", "I-path"])
    assert (slot.name, slot.start, slot.end) == ("path", 2, 5)


def test_a_text_without_an_end_has_a_bounded_number_of_words() -> None:
    assert len(words_of("word " * 100_000)) == MAX_WORDS
    assert len(words_of("(" * 100_000)) == MAX_WORDS
