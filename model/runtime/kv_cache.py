"""The paged KV cache (PagedAttention, arXiv 2309.06180): pages of 32 tokens and their references.

A page holds the keys and values of up to 32 consecutive tokens in all layers, as float16. It is
reference counted: sequences that are being computed and nodes of the prefix tree hold references,
and a page that more than one of them holds is copied before it is written (copy-on-write).

The pool is owned by a `PrefixTree`, which alone changes it.
"""

import heapq
from collections.abc import Hashable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from midline import kernels
from midline.model.errors import MidlineError

PAGE = kernels.PAGE_TOKENS
"""Tokens of a page."""
_CHUNK_BYTES = 2 << 20
"""Memory is given back in pieces of this size, a huge page, so that none is split."""
NEVER = 2**31 - 1
"""A position that no sequence reaches."""


class CacheFull(MidlineError):
    """Every page is in use."""

    def __init__(self) -> None:
        super().__init__("the key-value cache is full; use fewer samples or a shorter prompt")


class PagePool:
    """A bounded pool of pages.

    data: uint16 [pages * page_halves], the bits of float16 numbers; memory that was never written
    is not committed. references: holders of each page. most: pages that may be in use while others
    can be had by forgetting what is kept for later; all of them where it is None.
    """

    def __init__(self, page_halves: int, pages: int, most: int | None = None) -> None:
        self.page_halves = page_halves
        self.pages = pages
        self.most = pages if most is None else min(most, pages)
        self._memory = kernels.allocate(page_halves * pages * 2)
        self.data: NDArray[np.uint16] = self._memory.view(np.uint16)
        self._is_committed = bytearray(pages)
        self.references = [0] * pages
        self._free = list(range(pages))  # a heap: low pages first, so that memory stays compact

    @property
    def free_pages(self) -> int:
        """Number of pages without a holder."""
        return len(self._free)

    @property
    def surplus(self) -> int:
        """Number of pages in use beyond `most`; negative where there is room."""
        return self.pages - len(self._free) - self.most

    def take(self) -> int:
        """A page with one reference; raises CacheFull when none is left."""
        if not self._free:
            raise CacheFull
        page = heapq.heappop(self._free)
        self.references[page] = 1
        self._is_committed[page] = 1
        return page

    def hold(self, page: int) -> None:
        """Adds a reference."""
        self.references[page] += 1

    def drop(self, page: int) -> None:
        """Removes a reference; the last one frees the page."""
        self.references[page] -= 1
        if self.references[page] == 0:
            heapq.heappush(self._free, page)

    def release(self) -> None:
        """Gives the memory of free pages back to the system, where whole huge pages are free."""
        size = self.page_halves * 2
        is_free = np.zeros(self.pages, np.bool_)
        is_free[self._free] = True
        for begin in range(0, self.pages * size, _CHUNK_BYTES):
            end = min(begin + _CHUNK_BYTES, self.pages * size)
            pages = slice(begin // size, -(-end // size))
            if is_free[pages].all() and any(self._is_committed[pages]):
                kernels.release_pages(self._memory, begin, end)
                whole = range(-(-begin // size), end // size)
                self._is_committed[whole.start : whole.stop] = bytes(len(whole))

    def copy(self, page: int) -> int:
        """A new page with the same contents and one reference."""
        new = self.take()
        n = self.page_halves
        self.data[new * n : (new + 1) * n] = self.data[page * n : (page + 1) * n]
        return new


@dataclass(slots=True)
class Sequence:
    """Tokens whose keys and values are computed, and the pages that hold them, in order.

    A step that has thresholds computes tokens sparsely at positions from `sparse_from` on.
    `sparse_key` names those thresholds: keys and values that were computed sparsely are reused by
    sequences of the same `sparse_key` and `sparse_from`, and by no others; with None they are not
    kept.
    """

    tokens: list[int] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    sparse_from: int = NEVER
    sparse_key: Hashable = None

    @property
    def origin(self) -> Hashable:
        """Key of how its sparse tokens were computed: tokens of another key are not reused."""
        return None if self.sparse_key is None else (self.sparse_key, self.sparse_from)
