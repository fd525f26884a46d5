"""Drafting by lookup: long where text repeats itself, silent where it does not."""

import random

from midline.model.decoding.speculative.prompt_lookup import (
    MOST_DRAFTED,
    PASS_COST,
    ROW_COST,
    LookupDrafter,
)


def speed_up(text: list[int], prompt: int) -> float:
    """Of a text that is known, written behind its first `prompt` tokens, by the cost of passes."""
    drafter, at, cost = LookupDrafter(), prompt, 0.0
    while at < len(text):
        draft = drafter.propose(text[:at], len(text) - at - 1)
        right = 0
        while right < len(draft) and draft[right] == text[at + right]:
            right += 1
        if draft:
            drafter.accepted(right)
        cost += PASS_COST + ROW_COST * (len(draft) + 1) if draft else 1.0
        at += right + 1
    return (len(text) - prompt) / cost


def code(seed: int, count: int = 300) -> list[int]:
    """Tokens of a skewed distribution, as a text has them."""
    rng = random.Random(seed)
    return [min(int(rng.paretovariate(0.6)), 5000) for _ in range(count)]


def test_a_copy_is_drafted_in_long_pieces() -> None:
    assert speed_up(code(1) * 2, 300) > 2


def test_a_renamed_copy_is_drafted_between_the_names() -> None:
    text = code(2)
    copy = [6000 if token == 4 else token for token in text]
    assert copy != text
    assert speed_up(text + copy, 300) > 1.3


def test_nothing_is_lost_where_nothing_repeats() -> None:
    """Chance matches of one or two tokens are not worth a pass."""
    assert all(speed_up(code(seed, 600), 300) > 0.97 for seed in range(3, 9))


def test_matches_that_mislead_are_no_longer_believed() -> None:
    """Every match of four tokens goes on differently: a few drafts are tried, then none."""
    rng = random.Random(5)
    prompt, output, phrase = [], [], [11, 12, 13, 14]
    for _ in range(40):
        prompt += [*phrase, *(rng.randrange(100, 10_000) for _ in range(20))]
        output += [*phrase, *(rng.randrange(100, 10_000) for _ in range(2))]
    assert speed_up(prompt + output, len(prompt)) > 0.7
    assert speed_up(prompt + output * 5, len(prompt) + 4 * len(output)) > 1  # known by then


def test_no_more_is_drafted_than_asked_for() -> None:
    drafter = LookupDrafter()
    first = len(drafter.propose([1, 2, 3, 4] * 30, 100))
    assert 7 < first < len(drafter.propose([1, 2, 3, 4] * 90, 100)) == MOST_DRAFTED  # trusted now
    assert drafter.propose([1, 2, 3, 4] * 91, 6) == [1, 2, 3, 4, 1, 2]
    assert drafter.propose([1, 2, 3, 4] * 91, 0) == []


def test_texts_that_are_known_before_are_drafted_from() -> None:
    prompt, answer = code(11, 60), code(12, 40)
    drafter = LookupDrafter(known=[[*prompt, *code(13, 40)], [*prompt, *answer]])
    draft = drafter.propose([*prompt, answer[0]], 100)
    assert len(draft) > 4
    assert draft == answer[1 : 1 + len(draft)]
