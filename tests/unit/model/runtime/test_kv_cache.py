"""The pool of pages, and what tells sparse sequences apart."""

import pytest

from midline.model.errors import MidlineError
from midline.model.runtime.kv_cache import PAGE, PagePool, Sequence

HALVES = PAGE


def test_pages_are_taken_held_and_dropped() -> None:
    pool = PagePool(HALVES, 3)
    assert [pool.take() for _ in range(3)] == [0, 1, 2]
    with pytest.raises(MidlineError, match="cache is full"):
        pool.take()
    pool.hold(1)
    pool.drop(1)
    assert pool.free_pages == 0
    pool.drop(1)
    pool.drop(0)
    assert pool.free_pages == 2
    assert pool.take() == 0  # the lowest, so that memory stays compact
    pool.data[2 * HALVES :] = 9
    copy = pool.copy(2)
    assert copy == 1 and (pool.data[HALVES : 2 * HALVES] == 9).all()


def test_the_origin_of_sparse_tokens_is_level_and_position() -> None:
    assert Sequence(sparse_from=5).origin is None
    origins = {Sequence([], [], at, key).origin for at in (5, 6) for key in "ab"}
    assert len(origins) == 4 and None not in origins
