"""The prefix tree (radix cache, SGLang, arXiv 2312.07104): prompts whose keys and values are kept.

A tree over token ids whose nodes each own one page of the KV cache. A request starts from the
longest prefix that it shares with anything computed before, even if that ends inside a page. When
pages run out, those that were used longest ago are dropped, leaves first. So they are when more are
in use than `PagePool.most`, as far as what is being computed allows that.

The tree and its pool are owned by one `Decoder` and used by one thread at a time.
"""

import heapq
import itertools
from collections.abc import Hashable, Iterator
from collections.abc import Sequence as Tokens
from dataclasses import dataclass, field

from midline.model.runtime.kv_cache import NEVER, PAGE, CacheFull, PagePool, Sequence


@dataclass(slots=True, eq=False)
class _Node:
    """One page of tokens (fewer than a page's worth only in a leaf).

    The first `dense` of them were computed densely. If those are not all, `origin` tells how the
    others were computed (`Sequence.origin`).
    """

    tokens: tuple[int, ...]
    page: int
    parent: "_Node | None"
    dense: int
    origin: Hashable = None
    used: int = 0
    children: "dict[tuple[tuple[int, ...], Hashable], _Node]" = field(default_factory=dict)

    def common(self, wanted: tuple[int, ...], origin: Hashable, dense: int) -> int:
        """How many of the tokens that `wanted` begins with are here, computed in the same way.

        That is densely for the first `dense` of them, and as `origin` says for the others.
        """
        is_same = self.origin is not None and self.origin == origin
        usable = len(self.tokens) if is_same else min(self.dense, dense)
        return min(usable, _common(self.tokens, wanted))


class PrefixTree:
    """Sequences that share prefixes; every change of a sequence's pages goes through here."""

    def __init__(self, pool: PagePool) -> None:
        self.pool = pool
        self._root = _Node((), -1, None, 0)
        self._clock = itertools.count(1)

    def start(
        self, tokens: Tokens[int], sparse_from: int = NEVER, sparse_key: Hashable = None
    ) -> Sequence:
        """A sequence that shares the longest known prefix of `tokens`, the last token excluded.

        The last token is always computed, since a request needs its logits. For `sparse_from` and
        `sparse_key` see `Sequence`.
        """
        sequence, now = Sequence([], [], sparse_from, sparse_key), next(self._clock)
        for node, common in self._shared(tokens, sequence.sparse_from, sequence.origin):
            node.used = now
            self.pool.hold(node.page)
            sequence.pages.append(node.page)
            sequence.tokens.extend(node.tokens[:common])
        return sequence

    def known(self, tokens: Tokens[int]) -> int:
        """How many of `tokens` a dense sequence that `start` returns would begin with."""
        return sum(common for _, common in self._shared(tokens, NEVER, None))

    def grouped(self, prompts: Tokens[Tokens[int]], most: int) -> Iterator[range]:
        """Runs of prompts of which at most `most` tokens are not known, or single prompts."""
        start, total = 0, 0
        for i, prompt in enumerate(prompts):
            unknown = len(prompt) - self.known(prompt)
            if i > start and total + unknown > most:
                yield range(start, i)
                start, total = i, 0
            total += unknown
        yield range(start, len(prompts))

    def _shared(
        self, tokens: Tokens[int], sparse_from: int, origin: Hashable
    ) -> Iterator[tuple[_Node, int]]:
        """Nodes along the longest known prefix, and how many of their tokens belong to it."""
        node, at, wanted = self._root, 0, tuple(tokens)
        limit = len(wanted) - 1
        while at < limit:
            piece, dense = wanted[at : min(at + PAGE, limit)], max(0, sparse_from - at)
            child, common = self._best_child(node, piece, origin, dense)
            if child is None:
                return
            yield child, common
            if common < PAGE:
                return
            node, at = child, at + PAGE

    @staticmethod
    def _best_child(
        node: _Node, wanted: tuple[int, ...], origin: Hashable, dense: int
    ) -> tuple[_Node | None, int]:
        whole = node.children.get((wanted, None if dense >= PAGE else origin))
        if whole is not None and whole.common(wanted, origin, dense) == PAGE:
            return whole, PAGE
        best, most = None, 0
        for child in node.children.values():
            common = child.common(wanted, origin, dense)
            if common > most:
                best, most = child, common
        return best, most

    def fork(self, sequence: Sequence) -> Sequence:
        """A second sequence with the same past; nothing is copied until one of them is extended."""
        used = -(-len(sequence.tokens) // PAGE)  # the pages after them hold no token
        pages = sequence.pages[:used]
        for page in pages:
            self.pool.hold(page)
        return Sequence(list(sequence.tokens), pages, sequence.sparse_from, sequence.sparse_key)

    def extend(self, sequence: Sequence, count: int) -> None:
        """Makes room for `count` more tokens, dropping the least recently used leaves if need be.

        Raises CacheFull when everything left is in use; the sequence is unchanged then.
        """
        tail, used = divmod(len(sequence.tokens), PAGE)
        shared_tail = used > 0 and self.pool.references[sequence.pages[tail]] > 1
        # A cancelled step has reserved pages that hold no tokens.
        new_pages = max(0, -(-(tail * PAGE + used + count) // PAGE) - len(sequence.pages))
        self._reserve(new_pages + shared_tail)
        if shared_tail:
            old = sequence.pages[tail]
            sequence.pages[tail] = self.pool.copy(old)
            self.pool.drop(old)
        for _ in range(new_pages):
            sequence.pages.append(self.pool.take())

    def truncate(self, sequence: Sequence, length: int) -> None:
        """Forgets the tokens from `length` on and frees the pages that held nothing else."""
        del sequence.tokens[length:]
        kept = -(-len(sequence.tokens) // PAGE)
        for page in sequence.pages[kept:]:
            self.pool.drop(page)
        del sequence.pages[kept:]

    def finish(self, sequence: Sequence, *, remember: bool = True) -> None:
        """Ends the sequence and drops its pages; with `remember` its tokens stay known."""
        if remember:
            if sequence.sparse_key is None:
                del sequence.tokens[sequence.sparse_from :]
            self._remember(sequence)
        for page in sequence.pages:
            self.pool.drop(page)
        sequence.pages.clear()
        sequence.tokens.clear()
        if self.pool.surplus > 0:
            self._drop_leaves(self.pool.surplus)
            self.pool.release()

    def _remember(self, sequence: Sequence) -> None:
        node, now = self._root, next(self._clock)
        for i, page in enumerate(sequence.pages):
            tokens = tuple(sequence.tokens[i * PAGE : (i + 1) * PAGE])
            if not tokens:
                return
            dense = max(0, min(len(tokens), sequence.sparse_from - i * PAGE))
            origin = None if dense == len(tokens) else sequence.origin
            child = node.children.get((tokens, origin))
            if child is None:
                covering = (c.common(tokens, origin, dense) for c in node.children.values())
                if any(common == len(tokens) for common in covering):
                    return  # a longer page holds these tokens already
                self._drop_covered(node, tokens, dense, origin)
                child = _Node(tokens, page, node, dense, origin)
                node.children[tokens, origin] = child
                self.pool.hold(page)
            child.used = now
            if len(tokens) < PAGE:
                return
            node = child

    def _drop_covered(
        self, node: _Node, tokens: tuple[int, ...], dense: int, origin: Hashable
    ) -> None:
        """Drops leaves that hold nothing that a page of `tokens` does not hold, too."""
        for child in list(node.children.values()):
            if child.children or child.origin not in (None, origin):
                continue
            held = tokens if child.origin == origin else tokens[:dense]
            if held[: len(child.tokens)] == child.tokens:
                self._forget(child)

    def _forget(self, node: _Node) -> None:
        assert node.parent is not None
        del node.parent.children[node.tokens, node.origin]
        self.pool.drop(node.page)

    def _reserve(self, pages: int) -> None:
        """Sees to it that so many pages are free, and no more are kept than should be."""
        if pages == 0:
            return
        self._drop_leaves(max(pages - self.pool.free_pages, self.pool.surplus + pages))
        if self.pool.free_pages < pages:
            raise CacheFull

    def _drop_leaves(self, count: int) -> None:
        """Drops so many pages that nothing in progress needs, if there are, the oldest first.

        What a page follows was used at least as lately, so that leaves are the oldest.
        """
        if count <= 0:
            return
        order = itertools.count()  # of those that were used at the same time
        spare = [n for n in _leaves(self._root) if self.pool.references[n.page] == 1]
        queue = [(n.used, next(order), n) for n in spare]
        heapq.heapify(queue)
        for _ in range(count):
            if not queue:
                return
            _, _, leaf = heapq.heappop(queue)
            self._forget(leaf)
            above = leaf.parent
            assert above is not None
            is_leaf = above is not self._root and not above.children
            if is_leaf and self.pool.references[above.page] == 1:
                heapq.heappush(queue, (above.used, next(order), above))


def _leaves(root: _Node) -> list[_Node]:
    """The nodes below `root` that no other follows."""
    found, stack = [], list(root.children.values())
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
