"""Token healing over all tokenizations of the given bytes: the covering tree (arXiv 2506.14123).

Drawing token by token among those that agree with the given bytes (`token_healing.Alignment`)
favours short tokens even where nothing likely follows them. Here the probabilities of whole
tokenizations are compared. A leaf is the canonical tokenization of the first i given bytes, and one
token that covers all the others and may be longer. Its probability is the product over its tokens:
that of all texts that begin with it. Leaves that the tokenizer would never produce are left out.

Random sampling draws a leaf from their distribution. Greedy decoding chooses token by token: the
next token is the one with the largest total probability of the leaves that begin with it. That is
not always the first token of the most probable leaf: after an indentation, the token of a deeper
indentation is a single leaf, while the probability of staying at this indentation is divided among
many words.

Only tokenizations that differ near the cursor are considered: i runs over the last MOST_BYTES of
the given bytes and over the borders of their own tokens, of which `token_healing.back_up` leaves at
most `max_tokens`. A node is computed only while its probability could change the choice; the first
logits of all branches are those after the prompt.
"""

import math
from collections.abc import Callable, Iterator
from collections.abc import Sequence as Ids
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from midline import kernels
from midline.model.runtime.kv_cache import Sequence
from midline.model.runtime.prefix_tree import PrefixTree
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.tokenizer.vocabulary import CONTROL

if TYPE_CHECKING:
    from midline.model.decoding.options import SamplingOptions

MOST_BYTES = 16
"""Of the given bytes, how many of the last ones may end a canonical tokenization inside a token."""
NEGLIGIBLE = 1e-3
"""Share of the best leaf's probability below which random sampling ignores a branch."""
_SETTLES = 0.1
"""Greedy decoding computes the branches above this share of the likeliest one first: a second pass
costs as much as eight more rows, and is needed in one case out of ten."""
_CONTEXT = 8
_MOST_REJECTED = 16

Forward = Callable[[Ids[tuple[Sequence, Ids[int]]]], NDArray[np.float32]]


@dataclass(slots=True, eq=False)
class Node:
    """Tokens `ids` that spell the given bytes up to `rest`, which is not empty.

    logprob: natural log-probability of `ids`. sequence: prompt and ids, once they are computed.
    tokens (int64 [n]) and scores (float32 [n]): then, the last tokens of the node's own leaves and
    the leaves' log-probabilities; mass: that of all of them together.
    """

    ids: tuple[int, ...]
    rest: bytes
    parent: "Node | None" = None
    children: "list[Node]" = field(default_factory=list)
    logprob: float = -math.inf
    mass: float = -math.inf
    sequence: Sequence | None = None
    tokens: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    scores: NDArray[np.float32] = field(default_factory=lambda: np.empty(0, np.float32))

    @property
    def known(self) -> float:
        """Log-probability of all leaves below whose nodes are computed."""
        return _log_add([self.mass, *(child.known for child in self.children)])

    @property
    def possible(self) -> float:
        """Upper bound of what `known` can become."""
        if self.sequence is None:
            return self.logprob
        return _log_add([self.mass, *(child.possible for child in self.children)])

    def unread(self) -> "list[Node]":
        """The node itself if it is not computed, otherwise the nodes below it that are not."""
        if self.sequence is None:
            return [self]
        return [node for child in self.children for node in child.unread()]


@dataclass(frozen=True, slots=True)
class Leaf:
    """A tokenization of all given bytes: a node's ids and `token`, which has this `logprob`."""

    node: Node
    token: int
    logprob: float

    @property
    def ids(self) -> tuple[int, ...]:
        """All its tokens."""
        return (*self.node.ids, self.token)

    @property
    def logprobs(self) -> list[float]:
        """Log-probability of each of its tokens, given those before it."""
        path = []
        node: Node | None = self.node
        while node is not None and node.parent is not None:
            path.append(node.logprob - node.parent.logprob)
            node = node.parent
        return [*reversed(path), self.logprob]

    @property
    def conditional_logprob(self) -> float:
        """Log-probability of the whole leaf given the bytes that all leaves begin with."""
        root = self.node
        while root.parent is not None:
            root = root.parent
        return min(0.0, self.node.logprob + self.logprob - root.known)


class CoveringTree:
    """All tokenizations of `given` after the prompt that `sequence` holds.

    `add` the logits after the prompt to the root, `grow` the tree, `draw` once for each sample, and
    `close` it.
    """

    def __init__(self, tokenizer: Tokenizer, sequence: Sequence, given: bytes) -> None:
        self._tokenizer, self._prompt = tokenizer, sequence.tokens
        self.root = Node((), given, logprob=0.0, sequence=sequence)
        self.nodes: dict[tuple[int, ...], Node] = {(): self.root}
        for ids in self._tokenizations(given):
            self._insert(ids)

    @property
    def is_possible(self) -> bool:
        """Whether there is a leaf: not without given bytes, nor for the text of a special token."""
        lookup = self._tokenizer.tokens_with_prefix
        return any(node.rest and len(lookup(node.rest)) for node in self.nodes.values())

    def add(self, node: Node, logits: NDArray[np.float32]) -> None:
        """Gives a node the logits after its tokens, float32 [vocab]."""
        shift = node.logprob - kernels.log_sum_exp(logits)
        node.tokens = self._tokenizer.tokens_with_prefix(node.rest)
        node.scores = logits[node.tokens] + np.float32(shift)
        self._drop_likeliest(node)
        if node.scores.max(initial=-math.inf) > -math.inf:
            node.mass = kernels.log_sum_exp(node.scores)
        for child in node.children:
            child.logprob = float(logits[child.ids[-1]]) + shift

    def promising(self, temperature: float) -> list[Node]:
        """Nodes to compute before a leaf can be drawn at this temperature; none when it can be."""
        if temperature == 0:
            found = self._likeliest()[1]
        else:
            best = max(n.scores.max(initial=-math.inf) for n in self.nodes.values())
            least = float(best) + math.log(NEGLIGIBLE)
            found = [node for node in self.root.unread() if node.logprob > least]
        # Greedy decoding may not need the less likely ones; random sampling needs all.
        share = _SETTLES if temperature == 0 else NEGLIGIBLE
        first = max((n.logprob for n in found), default=0.0) + math.log(share)
        return [node for node in found if node.logprob > first]

    def draw(self, options: "SamplingOptions", sample: int) -> Leaf:
        """The greedy leaf at temperature 0, otherwise one that depends on seed and sample alone."""
        leaf = self._likeliest()[0] if options.temperature == 0 else None
        if leaf is not None:
            return leaf
        scores, ends, nodes = self._leaves
        for attempt in range(_MOST_REJECTED):
            index, _ = kernels.choose(
                scores, 0.0, temperature=options.temperature, top_p=options.top_p,
                min_p=options.min_p, seed=options.seed, sample=sample, position=attempt << 32,
            )  # fmt: skip
            which = int(np.searchsorted(ends, index, side="right"))
            leaf = _leaf(nodes[which], index - int(ends[which]))
            if self._is_canonical(leaf):
                break
        assert leaf is not None
        return leaf

    def close(self, cache: PrefixTree) -> None:
        """Ends the sequences of all nodes but the root, whose sequence is the caller's."""
        for node in self.nodes.values():
            if node is not self.root and node.sequence is not None:
                cache.finish(node.sequence, remember=False)

    def _tokenizations(self, given: bytes) -> Iterator[tuple[int, ...]]:
        """Canonical tokenizations of prefixes of `given` that leave the prompt's tokens alone."""
        first = max(1, len(given) - MOST_BYTES)
        for end in range(first, len(given) + 1):
            # A prefix that ends inside a character is no text. If the character has no token of
            # its own, its bytes are nodes of the whole tokenization anyway.
            if end < len(given) and given[end] & 0xC0 == 0x80:
                continue
            ids = self._encoded(given[:end])
            if ids is not None:
                yield ids

    def _encoded(self, piece: bytes) -> tuple[int, ...] | None:
        """Ids of `piece` after the prompt; None if it would change the prompt's own tokens."""
        context, text = self._context
        ids = tuple(self._tokenizer.encode(text + piece))
        own = len(context)
        return ids[own:] if ids[:own] == context else None

    @cached_property
    def _context(self) -> tuple[tuple[int, ...], bytes]:
        """The prompt's last tokens after any special one: ids, and a text that encodes to them."""
        ids = list(self._prompt[-_CONTEXT:])
        kinds = self._tokenizer.vocabulary.kinds[ids]
        ids = ids[max(np.flatnonzero(kinds == CONTROL) + 1, default=0) :]
        while ids:
            text = b"".join(map(self._tokenizer.token_bytes, ids))
            if self._tokenizer.encode(text) == ids:
                return tuple(ids), text
            del ids[0]
        return (), b""

    def _insert(self, ids: tuple[int, ...]) -> None:
        """Adds nodes for all prefixes of `ids` after which given bytes remain."""
        node, given = self.root, self.root.rest
        for count in range(1, len(ids) + 1):
            written = b"".join(map(self._tokenizer.token_bytes, ids[:count]))
            if len(written) >= len(given) or not given.startswith(written):
                return
            known = self.nodes.get(ids[:count])
            if known is None:
                known = self.nodes[ids[:count]] = Node(ids[:count], given[len(written) :], node)
                node.children.append(known)
            node = known

    def _likeliest(self) -> tuple[Leaf | None, list[Node]]:
        """The greedy leaf, or the nodes that must be computed before it is known."""
        node = self.root
        while True:
            best = float(node.scores.max(initial=-math.inf))
            child = max(node.children, key=lambda child: child.known, default=None)
            if child is not None and child.known <= best:
                child = None
            most = best if child is None else child.known
            rivals = [other for other in node.children if other is not child]
            unread = [n for other in rivals if other.possible > most for n in other.unread()]
            if unread or most == -math.inf:
                return None, unread
            if child is None:
                return _leaf(node, int(node.scores.argmax())), []
            node = child

    def _drop_likeliest(self, node: Node) -> None:
        """Removes its likeliest leaves until the likeliest one is canonical."""
        for _ in range(_MOST_REJECTED if len(node.scores) else 0):
            index = int(node.scores.argmax())
            if self._is_canonical(_leaf(node, index)):
                break
            node.scores[index] = -np.inf

    def _is_canonical(self, leaf: Leaf) -> bool:
        """Whether the tokenizer would produce the leaf; unknown, so yes, inside a character."""
        written = self.root.rest[: len(self.root.rest) - len(leaf.node.rest)]
        written += self._tokenizer.token_bytes(leaf.token)
        try:
            written.decode()
        except UnicodeDecodeError:
            return True
        return self._encoded(written) == leaf.ids

    @cached_property
    def _leaves(self) -> tuple[NDArray[np.float32], NDArray[np.int64], list[Node]]:
        """All leaves' scores float32 [n], where those of each node end int64 [nodes], the nodes."""
        nodes = [node for node in self.nodes.values() if len(node.scores)]
        ends = np.cumsum([len(node.scores) for node in nodes])
        return np.concatenate([node.scores for node in nodes]), ends, nodes


class Stream(Protocol):
    """One sample of a prompt; `cover` replaces its `sequence` by the branch of the leaf it drew."""

    sample: int
    sequence: Sequence


S = TypeVar("S", bound=Stream)
Covered = tuple[CoveringTree, list[S], "SamplingOptions"]


def cover(covered: Ids[Covered[S]], forward: Forward, cache: PrefixTree) -> list[tuple[S, Leaf]]:
    """Draws a leaf for each stream of each tree, and closes the trees.

    covered: trees whose roots have their logits, each with its streams and the options they are
    drawn with. The streams of a leaf come next to each other in the result and share a new
    sequence, which holds all of the leaf but its last token. Trees of one temperature are computed
    in common steps.
    """
    try:
        for temperature in sorted({t for _, _, options in covered for t in _temperatures(options)}):
            alike = [tree for tree, _, how in covered if temperature in _temperatures(how)]
            grow(alike, temperature, forward, cache)
        drawn = [
            part for tree, streams, options in covered for part in _drawn(tree, streams, options)
        ]
        for leaf, part in drawn:
            assert leaf.node.sequence is not None
            own = cache.fork(leaf.node.sequence)
            for stream in part:
                stream.sequence = own
        for tree, *_ in covered:
            assert tree.root.sequence is not None
            cache.finish(tree.root.sequence, remember=False)
        return [(stream, leaf) for leaf, part in drawn for stream in part]
    finally:
        for tree, *_ in covered:
            tree.close(cache)


def _temperatures(options: "SamplingOptions") -> set[float]:
    """Those that the samples of a prompt are drawn at."""
    return {options.temperature, 0.0} if options.greedy_first else {options.temperature}


def _drawn(
    tree: CoveringTree, streams: Ids[S], options: "SamplingOptions"
) -> list[tuple[Leaf, list[S]]]:
    """The leaves that were drawn, each with the streams that drew it."""
    parts: dict[tuple[int, ...], tuple[Leaf, list[S]]] = {}
    for stream in streams:
        likeliest = options.greedy_first and stream.sample == 0
        how = replace(options, temperature=0.0) if likeliest else options
        leaf = tree.draw(how, stream.sample)
        parts.setdefault(leaf.ids, (leaf, []))[1].append(stream)
    return list(parts.values())


def grow(trees: Ids[CoveringTree], temperature: float, forward: Forward, cache: PrefixTree) -> None:
    """Computes the promising nodes of all trees in common steps until there are none."""
    while opened := [(tree, node) for tree in trees for node in tree.promising(temperature)]:
        batch: list[tuple[Sequence, Ids[int]]] = []
        for _, node in opened:
            assert node.parent is not None and node.parent.sequence is not None
            node.sequence = cache.fork(node.parent.sequence)
            batch.append((node.sequence, node.ids[-1:]))
        for (tree, node), logits in zip(opened, forward(batch), strict=True):
            tree.add(node, logits)


def _leaf(node: Node, index: int) -> Leaf:
    return Leaf(node, int(node.tokens[index]), float(node.scores[index]) - node.logprob)


def _log_add(logprobs: list[float]) -> float:
    """log(sum(exp(logprobs))), minus infinity if all are."""
    most = max(logprobs)
    if len(logprobs) == 1 or most == -math.inf:
        return most
    return most + math.log(sum(math.exp(logprob - most) for logprob in logprobs))
