"""The alarm for output that repeats itself."""

import pytest

from midline.model.data_quality.output_guard import GuardRule, alarm_at, repeated_share
from midline.model.data_quality.views import Views

LOOP = "    total += values[index]\n    index += 1\n"
START = "def total_of(values, first, last):\n    total = 0\n    index = first\n"
RULE = GuardRule(48, 10, repeated=0.7)


def test_a_loop_raises_the_alarm_after_few_turns() -> None:
    text = START + LOOP * 40
    at = alarm_at(text, RULE)
    assert at is not None and len(START) < at < len(text) / 3
    assert alarm_at(text[:at], RULE) == at
    assert alarm_at(text[: at - 1], RULE) is None


def test_code_that_does_not_repeat_raises_none() -> None:
    text = "\n".join(f"def name_{n}(a{n}): return a{n} * {n}" for n in range(40))
    assert alarm_at(text, RULE) is None


def test_few_distinct_words_raise_it_too() -> None:
    rule = GuardRule(48, distinct=0.1)
    assert alarm_at("a, " * 100, rule) is not None
    assert alarm_at(" ".join(f"w{n}" for n in range(200)), rule) is None


@pytest.mark.parametrize("text", ["", "short", LOOP])
def test_a_text_shorter_than_the_window_raises_none(text: str) -> None:
    assert alarm_at(text, RULE) is None


def test_the_share_counts_each_character_once() -> None:
    words = Views("aa b aa b aa ccc").raw
    assert repeated_share(words, 2) == pytest.approx((3 * 2 + 2) / (3 * 2 + 2 + 3))
    assert repeated_share(words, 5) == 0
