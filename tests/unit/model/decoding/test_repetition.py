"""Cycles of tokens at the end of a sample."""

import random

from midline.model.decoding.repetition import LONGEST_CYCLE, repeats


def test_a_cycle_is_seen_at_the_token_that_completes_it() -> None:
    for size in (1, 2, 7, LONGEST_CYCLE):
        cycle = list(range(100, 100 + size))
        ids = [*range(50), *cycle * 4]
        seen = [n for n in range(1, len(ids) + 1) if repeats(ids[:n], 4)]
        assert seen == [len(ids)]
        assert not repeats(ids, 5)


def test_longer_cycles_and_near_misses_are_let_go_on() -> None:
    assert not repeats(list(range(LONGEST_CYCLE + 1)) * 4, 4)
    assert not repeats([1, 2, 3, 1, 2, 4, 1, 2, 3], 3)
    assert not repeats([1], 2) and not repeats([1, 2], 2) and repeats([1, 1], 2)


def test_any_ids_are_judged_as_by_looking_at_all_cycles() -> None:
    dice = random.Random(5)
    for _ in range(2000):
        ids = dice.choices([1, 2, 3], k=dice.randint(1, 24))
        times = dice.randint(2, 4)
        plain = any(
            len(ids) >= size * times and ids[len(ids) - size * times :] == ids[-size:] * times
            for size in range(1, LONGEST_CYCLE + 1)
        )
        assert repeats(ids, times) == plain
