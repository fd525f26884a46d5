"""The pool of pages, and what tells sparse sequences apart."""

import os
import sys
from pathlib import Path

import pytest

from midline.model.errors import MidlineError
from midline.model.runtime.kv_cache import PAGE, PagePool, Sequence

HALVES = PAGE


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


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


def test_the_memory_of_free_pages_is_given_back_and_that_of_others_stays() -> None:
    size = 3 << 20  # bytes of a page, which is one and a half huge pages
    pool = PagePool(size // 2, 8)
    pages = [pool.take() for _ in range(6)]
    for page in pages:
        pool.data[page * size // 2 : (page + 1) * size // 2] = page + 1
    for page in (1, 2, 3, 5):
        pool.drop(page)
    before = resident_bytes()
    pool.release()
    if sys.platform == "linux":  # all of them but what shares a huge page with pages 0 and 4
        assert before - resident_bytes() > 9 << 20
    for page in (0, 4):
        kept = pool.data[page * size // 2 : (page + 1) * size // 2]
        assert (kept == page + 1).all()
    assert pool.take() == 1
    pool.data[size // 2 : size] = 9
    pool.release()
    assert (pool.data[size // 2 : size] == 9).all()


def test_a_pool_says_how_much_more_is_in_use_than_should_be() -> None:
    pool = PagePool(HALVES, 5, most=2)
    assert pool.surplus == -2
    for _ in range(4):
        pool.take()
    assert pool.surplus == 2
    assert PagePool(HALVES, 5).most == PagePool(HALVES, 5, most=9).most == 5


def test_the_origin_of_sparse_tokens_is_level_and_position() -> None:
    assert Sequence(sparse_from=5).origin is None
    origins = {Sequence([], [], at, key).origin for at in (5, 6) for key in "ab"}
    assert len(origins) == 4 and None not in origins
