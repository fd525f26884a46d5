"""Rows and copies of keys and values: what is shared, kept and moved."""

import pytest

from midline.model.engines.onnx.key_value_slots import KeyValueSlots
from midline.model.runtime.kv_cache import CacheFull, Sequence


def slots(rows: int = 6, kept: int = 64) -> KeyValueSlots:
    return KeyValueSlots(2, 1, 4, rows=rows, capacity=32, kept_tokens=kept)


def put(cache: KeyValueSlots, sequence: Sequence, tokens: list[int]) -> None:
    """Writes each token's number as its keys, and its negative as its values."""
    for token in tokens:
        at, row = len(sequence.tokens), sequence.pages[0]
        for i in range(2):
            cache.keys[i][row, :, at], cache.values[i][row, :, at] = token, -token
        sequence.tokens.append(token)


def held(cache: KeyValueSlots, sequence: Sequence) -> list[int]:
    row, n = sequence.pages[0], len(sequence.tokens)
    assert (cache.values[1][row, 0, :n, 0] == -cache.keys[1][row, 0, :n, 0]).all()
    return cache.keys[1][row, 0, :n, 0].astype(int).tolist()


def test_a_beginning_is_known_after_its_end():
    cache = slots()
    first = cache.start([1, 2, 3])
    put(cache, first, [1, 2, 3, 4])
    cache.finish(first)
    assert cache.known([1, 2, 3, 4]) == 3 and cache.known([1, 2, 9, 9]) == 2
    second = cache.start([1, 2, 9, 9])
    assert second.tokens == [1, 2] == held(cache, second)
    put(cache, second, [9])
    cache.finish(second, remember=False)
    assert cache.known([1, 2, 9, 9]) == 2


def test_a_fork_goes_its_own_way():
    cache = slots()
    first = cache.start([1])
    put(cache, first, [1, 2])
    other = cache.fork(first)
    put(cache, first, [3])
    put(cache, other, [4])
    cache.truncate(first, 2)
    put(cache, first, [5])
    assert held(cache, first) == [1, 2, 5] == first.tokens
    assert held(cache, other) == [1, 2, 4] == other.tokens


def test_longer_texts_replace_their_beginnings_and_old_ones_go():
    cache = slots(kept=8)
    for tokens in ([1, 2], [1, 2, 3], [7, 8, 9, 10, 11]):
        sequence = cache.start(tokens)
        put(cache, sequence, tokens[len(sequence.tokens) :])
        cache.finish(sequence)
    assert cache.known([1, 2, 3, 0]) == 3 and cache.known([7, 8, 9, 10, 11, 0]) == 5
    sequence = cache.start([4, 4])
    put(cache, sequence, [4, 4])
    cache.finish(sequence)
    assert cache.known([7, 8, 9, 10, 11, 0]) == 5 and cache.known([1, 2, 3, 0]) == 0


def test_rows_move_together():
    cache = slots()
    live = [cache.start([n]) for n in range(6)]
    for n, sequence in enumerate(live):
        put(cache, sequence, [10 + n, 20 + n])
    with pytest.raises(CacheFull):
        cache.fork(live[0])
    for sequence in live[1:5]:
        cache.finish(sequence, remember=False)
    first, end = cache.gather([live[0], live[5]])
    assert (first, end) == (0, 2)
    assert held(cache, live[0]) == [10, 20] and held(cache, live[5]) == [15, 25]
    assert sorted(cache.start([n]).pages[0] for n in range(4)) == [2, 3, 4, 5]
