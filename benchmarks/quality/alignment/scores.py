"""Log-probabilities of the text after a cut, and the time that token healing takes.

The tokens of a whole line are computed once, and requests whose tokens are those of the line share
these logits, whatever the cut and the mode. A prompt that ends in other tokens is computed from the
first of them on.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from midline import kernels
from midline.benchmarks.quality.alignment.cases import Layout
from midline.model.decoding.alignment.covering_tree import CoveringTree, Node, grow
from midline.model.decoding.alignment.token_healing import Alignment, back_up
from midline.model.engines.base import SamplingOptions
from midline.model.engines.native.engine import NativeEngine
from midline.model.runtime.decoder import StepOptions
from midline.model.runtime.kv_cache import Sequence as Cached
from midline.model.tokenizer.tokenizer import Tokenizer

Rows = NDArray[np.float32]
_EXACT = StepOptions(exact=True)
_GREEDY = SamplingOptions()


@dataclass(frozen=True)
class Request:
    """What is asked of the engine: a prompt, the bytes removed from its end, and the true text.

    `target` is the rest of the line; `backed_up` counts the tokens of `align`; with `tree` they are
    written by the covering tree.
    """

    ids: tuple[int, ...]
    align: bytes
    target: bytes
    backed_up: int = 0
    tree: bool = False


@dataclass(frozen=True)
class Cost:
    """Milliseconds of one request's token healing, and rows computed for its tree's branches.

    The milliseconds are processor time of the calling thread, without the model's passes.
    """

    milliseconds: float
    rows: int = 0


@dataclass
class LineScores:
    """Of one line's requests: the truth's natural log-probability, and alignment's cost."""

    logprobs: dict[Request, float] = field(default_factory=dict)
    costs: dict[Request, Cost] = field(default_factory=dict)


class TimedTree(CoveringTree):
    """A covering tree that measures its processor time, without that of forward passes."""

    seconds = 0.0

    def add(self, node: Node, logits: Rows) -> None:
        """See `CoveringTree`."""
        started = time.thread_time()
        super().add(node, logits)
        self.seconds += time.thread_time() - started

    def promising(self, temperature: float) -> list[Node]:
        """See `CoveringTree`."""
        started = time.thread_time()
        found = super().promising(temperature)
        self.seconds += time.thread_time() - started
        return found


class LineReader:
    """A line's prompt and tokens in the cache, with the logits after each of its tokens."""

    def __init__(self, engine: NativeEngine, layout: Layout) -> None:
        self._model, self._tokenizer, self._layout = engine.decoder, engine.tokenizer, layout
        self._sequence = self._model.cache.start(layout.ids)
        rest = layout.ids[len(self._sequence.tokens) :]
        tokens = [*rest, *layout.true]
        rows = self._model.forward([(self._sequence, tokens)], logits="all", options=_EXACT)
        self._rows = rows[len(rest) - 1 :]

    def close(self) -> None:
        """Frees the pages."""
        self._model.cache.finish(self._sequence, remember=False)

    def score(self, requests: Sequence[Request]) -> LineScores:
        """The log-probability of each request's truth, as its way of alignment has it.

        Stepwise alignment renormalises over the tokens that agree, the tree over its leaves. It is
        that of one tokenization of the truth: the line's own where the prompt keeps to it.
        """
        scores = LineScores()
        for request, tokens, rows in self._paths(requests):
            free = Request(request.ids, b"", request.target) if request.tree else request
            scores.logprobs[request] = _logprob(self._tokenizer, free.align, tokens, rows)
            if request.align and not request.tree and self._keeps(request):
                scores.costs[request] = self._stepwise_cost(request, tokens, rows)
        trees = [request for request in requests if request.tree and request.align]
        self._cover([request for request in trees if self._keeps(request)], scores)
        return scores

    def _kept(self, request: Request) -> tuple[int, ...]:
        """The request's tokens of the line."""
        return request.ids[len(self._layout.ids) :]

    def _keeps(self, request: Request) -> bool:
        kept = self._kept(request)
        return kept == self._layout.true[: len(kept)]

    def _paths(self, requests: Sequence[Request]) -> Iterator[tuple[Request, Sequence[int], Rows]]:
        """Each request's tokens that spell the removed bytes and the target, and their logits."""
        away: list[tuple[Request, list[int], int]] = []
        batch: list[tuple[Cached, Sequence[int]]] = []
        for request in requests:
            kept, true = self._kept(request), self._layout.true
            if self._keeps(request):
                yield request, true[len(kept) :], self._rows[len(kept) :]
                continue
            tokens = self._tokenizer.encode(request.align + request.target)
            common = _common(kept, true)
            away.append((request, tokens, len(kept) - common))
            batch.append((self._fork(common), [*kept[common:], *tokens]))
        rows = self._model.forward(batch, logits="all", options=_EXACT)
        at = 0
        for (request, tokens, unlike), (sequence, fed) in zip(away, batch, strict=True):
            first = at + unlike - 1
            yield request, tokens, rows[first : first + len(tokens)]
            at += len(fed)
            self._model.cache.finish(sequence, remember=False)

    def _fork(self, count: int) -> Cached:
        """The prompt and the first `count` tokens of the line."""
        sequence = self._model.cache.fork(self._sequence)
        self._model.cache.truncate(sequence, len(self._layout.ids) + count)
        return sequence

    def _stepwise_cost(self, request: Request, tokens: Sequence[int], rows: Rows) -> Cost:
        started = time.thread_time()
        back_up(self._tokenizer, self._whole(request), request.backed_up)
        alignment = Alignment(self._tokenizer, request.align)
        for token, row in zip(tokens, rows, strict=False):
            allowed = alignment.allowed()
            if allowed is None:
                break
            kernels.choose(row, 0.0, allowed=allowed)
            alignment.consume(token)
        return Cost((time.thread_time() - started) * 1e3)

    def _whole(self, request: Request) -> list[int]:
        return [*self._kept(request), *self._tokenizer.encode(request.align)]

    def _cover(self, requests: Sequence[Request], scores: LineScores) -> None:
        """Subtracts the trees' total log-probability from that of the truths, and times them."""
        trees = [self._planted(request) for request in requests]
        grow(trees, 0.0, self._forward, self._model.cache)
        for tree, request in zip(trees, requests, strict=True):
            started = time.thread_time()
            back_up(self._tokenizer, self._whole(request), request.backed_up)
            tree.draw(_GREEDY, 0)
            tree.seconds += time.thread_time() - started
            rows = sum(node.sequence is not None for node in tree.nodes.values()) - 1
            scores.costs[request] = Cost(tree.seconds * 1e3, rows)
        grow(trees, 1.0, self._forward, self._model.cache)
        for tree, request in zip(trees, requests, strict=True):
            scores.logprobs[request] -= _mass(tree)
            tree.close(self._model.cache)
            assert tree.root.sequence is not None
            self._model.cache.finish(tree.root.sequence, remember=False)

    def _planted(self, request: Request) -> TimedTree:
        sequence = self._fork(len(self._kept(request)))
        started = time.thread_time()
        tree = TimedTree(self._tokenizer, sequence, request.align)
        tree.seconds = time.thread_time() - started
        tree.add(tree.root, self._rows[len(self._kept(request))])
        return tree

    def _forward(self, batch: Sequence[tuple[Cached, Sequence[int]]]) -> Rows:
        return self._model.forward(batch, options=_EXACT)


def _logprob(tokenizer: Tokenizer, align: bytes, tokens: Sequence[int], rows: Rows) -> float:
    """Log-probability of `tokens`, each among those that agree with the rest of `align`."""
    alignment, total = Alignment(tokenizer, align), 0.0
    for token, row in zip(tokens, rows, strict=False):
        allowed = alignment.allowed()
        total += float(row[token]) - kernels.log_sum_exp(row if allowed is None else row[allowed])
        alignment.consume(token)
    return total


def _mass(tree: CoveringTree) -> float:
    """Log-probability of all leaves together."""
    scores = np.concatenate([node.scores for node in tree.nodes.values()])
    return float(kernels.log_sum_exp(scores))


def _common(a: Sequence[int], b: Sequence[int]) -> int:
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count
