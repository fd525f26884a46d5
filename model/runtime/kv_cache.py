"""Keys and values in pages of 32 tokens, shared between requests by a tree over token ids.

A page belongs to everyone who holds a reference: sequences being computed and the tree's nodes.
A page with more than one holder is never written: whoever appends to it gets a copy first.
"""

import heapq
import itertools
from collections.abc import Iterator
from collections.abc import Sequence as Tokens
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from midline import kernels
from midline.model.errors import MidlineError

PAGE = kernels.PAGE_TOKENS


class CacheFull(MidlineError):
    """Every page is in use."""

    def __init__(self) -> None:
        super().__init__("the key-value cache is full; use fewer samples or a shorter prompt")


class PagePool:
    """A bounded pool of pages; `data` is uint16 (f16 bits) [pages * page_halves], used lazily."""

    def __init__(self, page_halves: int, pages: int) -> None:
        self.page_halves = page_halves
        self.pages = pages
        self.data: NDArray[np.uint16] = kernels.allocate(page_halves * pages * 2).view(np.uint16)
        self.references = [0] * pages
        self._free = list(range(pages))  # a heap: low pages first, so that memory stays compact

    @property
    def free_pages(self) -> int:
        """Pages nobody holds."""
        return len(self._free)

    def take(self) -> int:
        """A page with one reference; CacheFull when none is left."""
        if not self._free:
            raise CacheFull
        page = heapq.heappop(self._free)
        self.references[page] = 1
        return page

    def hold(self, page: int) -> None:
        """Adds a reference."""
        self.references[page] += 1

    def drop(self, page: int) -> None:
        """Removes a reference; the last one frees the page."""
        self.references[page] -= 1
        if self.references[page] == 0:
            heapq.heappush(self._free, page)

    def copy(self, page: int) -> int:
        """A new page with the same contents."""
        new = self.take()
        n = self.page_halves
        self.data[new * n : (new + 1) * n] = self.data[page * n : (page + 1) * n]
        return new


NEVER = 2**31 - 1


@dataclass(slots=True)
class Sequence:
    """Tokens whose keys and values are computed, and the pages that hold them.

    Tokens at positions from `sparse_from` on are computed sparsely in a step that has thresholds.
    """

    tokens: list[int] = field(default_factory=list)
    pages: list[int] = field(default_factory=list)
    sparse_from: int = NEVER


@dataclass(slots=True, eq=False)
class _Node:
    """One page of tokens (fewer than a page's worth only in a leaf)."""

    tokens: tuple[int, ...]
    page: int
    parent: "_Node | None"
    used: int = 0
    children: dict[tuple[int, ...], "_Node"] = field(default_factory=dict)


class PrefixCache:
    """The tree of known beginnings, least recently used leaves dropped first when pages run out."""

    def __init__(self, pool: PagePool) -> None:
        self.pool = pool
        self._root = _Node((), -1, None)
        self._clock = itertools.count(1)

    def start(self, tokens: Tokens[int]) -> Sequence:
        """A sequence that shares the longest known beginning of `tokens`, the last token excluded.

        The last token is always computed anew, since its logits are what a request is for.
        """
        sequence, now = Sequence(), next(self._clock)
        for node, common in self._shared(tokens):
            node.used = now
            self.pool.hold(node.page)
            sequence.pages.append(node.page)
            sequence.tokens.extend(node.tokens[:common])
        return sequence

    def known(self, tokens: Tokens[int]) -> int:
        """How many of `tokens` a sequence that `start` returns would begin with."""
        return sum(common for _, common in self._shared(tokens))

    def grouped(self, prompts: Tokens[Tokens[int]], most: int) -> Iterator[range]:
        """Runs of prompts of which at most `most` tokens are not known, or single ones."""
        start, total = 0, 0
        for i, prompt in enumerate(prompts):
            unknown = len(prompt) - self.known(prompt)
            if i > start and total + unknown > most:
                yield range(start, i)
                start, total = i, 0
            total += unknown
        yield range(start, len(prompts))

    def _shared(self, tokens: Tokens[int]) -> Iterator[tuple[_Node, int]]:
        """Nodes along the longest known beginning, and how many of their tokens belong to it."""
        node, at, wanted = self._root, 0, tuple(tokens)
        limit = len(wanted) - 1
        while at < limit:
            child, common = self._best_child(node, wanted[at : min(at + PAGE, limit)])
            if child is None:
                return
            yield child, common
            if common < PAGE:
                return
            node, at = child, at + PAGE

    @staticmethod
    def _best_child(node: _Node, wanted: tuple[int, ...]) -> tuple[_Node | None, int]:
        exact = node.children.get(wanted) if len(wanted) == PAGE else None
        if exact is not None:
            return exact, PAGE
        best, most = None, 0
        for child in node.children.values():
            common = _common(child.tokens, wanted)
            if common > most:
                best, most = child, common
        return best, most

    def fork(self, sequence: Sequence) -> Sequence:
        """A second sequence with the same past; nothing is copied until one of them is extended."""
        pages = sequence.pages[
            : -(-len(sequence.tokens) // PAGE)
        ]  # not what was only made room for
        for page in pages:
            self.pool.hold(page)
        return Sequence(list(sequence.tokens), pages, sequence.sparse_from)

    def extend(self, sequence: Sequence, count: int) -> None:
        """Makes room for `count` more tokens, evicting what was used longest ago if need be.

        Raises CacheFull when everything left is in use; the sequence is unchanged then.
        """
        tail, used = divmod(len(sequence.tokens), PAGE)
        shared_tail = used > 0 and self.pool.references[sequence.pages[tail]] > 1
        # Room made by a step that was cancelled is still there.
        new_pages = max(0, -(-(tail * PAGE + used + count) // PAGE) - len(sequence.pages))
        self._reserve(new_pages + shared_tail)
        if shared_tail:
            old = sequence.pages[tail]
            sequence.pages[tail] = self.pool.copy(old)
            self.pool.drop(old)
        for _ in range(new_pages):
            sequence.pages.append(self.pool.take())

    def truncate(self, sequence: Sequence, length: int) -> None:
        """Forgets the tokens from `length` on; pages that held nothing else are given back."""
        del sequence.tokens[length:]
        kept = -(-len(sequence.tokens) // PAGE)
        for page in sequence.pages[kept:]:
            self.pool.drop(page)
        del sequence.pages[kept:]

    def finish(self, sequence: Sequence, *, remember: bool = True) -> None:
        """Gives the sequence's pages back, keeping its computed tokens known if `remember`.

        What was computed sparsely is never remembered: a later request may be dense.
        """
        if remember:
            del sequence.tokens[sequence.sparse_from :]
            self._remember(sequence)
        for page in sequence.pages:
            self.pool.drop(page)
        sequence.pages.clear()
        sequence.tokens.clear()

    def _remember(self, sequence: Sequence) -> None:
        node, now = self._root, next(self._clock)
        for i, page in enumerate(sequence.pages):
            tokens = tuple(sequence.tokens[i * PAGE : (i + 1) * PAGE])
            if not tokens:
                return
            child = node.children.get(tokens)
            if child is None:
                if any(c.tokens[: len(tokens)] == tokens for c in node.children.values()):
                    return  # a longer page already holds these tokens
                self._drop_shorter(node, tokens)
                child = node.children[tokens] = _Node(tokens, page, node)
                self.pool.hold(page)
            child.used = now
            if len(tokens) < PAGE:
                return
            node = child

    def _drop_shorter(self, node: _Node, tokens: tuple[int, ...]) -> None:
        for short in [c for c in node.children.values() if tokens[: len(c.tokens)] == c.tokens]:
            if not short.children:
                self._forget(short)

    def _forget(self, node: _Node) -> None:
        assert node.parent is not None
        del node.parent.children[node.tokens]
        self.pool.drop(node.page)

    def _reserve(self, pages: int) -> None:
        while self.pool.free_pages < pages:
            leaves = [n for n in self._leaves(self._root) if self.pool.references[n.page] == 1]
            if not leaves:
                raise CacheFull
            leaves.sort(key=lambda n: n.used)
            for leaf in leaves[: pages - self.pool.free_pages]:
                self._forget(leaf)

    def _leaves(self, node: _Node) -> list[_Node]:
        found, stack = [], list(node.children.values())
        while stack:
            n = stack.pop()
            stack.extend(n.children.values())
            if not n.children:
                found.append(n)
        return found


def _common(a: Tokens[int], b: Tokens[int]) -> int:
    for i, (x, y) in enumerate(zip(a, b, strict=False)):
        if x != y:
            return i
    return min(len(a), len(b))
