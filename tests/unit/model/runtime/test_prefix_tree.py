"""Pages of keys and values: sharing, copying on write, eviction, against a naive model."""

import random

import numpy as np
import pytest

from midline.model.errors import MidlineError
from midline.model.runtime.kv_cache import NEVER, PAGE, PagePool, Sequence
from midline.model.runtime.prefix_tree import PrefixTree

HALVES = PAGE
"""One number a token stands for its keys and values."""


def make(pages: int, most: int | None = None) -> PrefixTree:
    return PrefixTree(PagePool(HALVES, pages, most))


def mark(tokens: list[int], sequence: Sequence) -> int:
    """What the keys of the last of `tokens` are: a function of all before it, and how sparse."""
    value = 17
    for at, token in enumerate(tokens):
        sparse = at >= sequence.sparse_from
        value = (value * 31 + token + 1 + sparse * (7 + hash(sequence.origin) % 1000)) % 65_521
    return value


def compute(cache: PrefixTree, sequence: Sequence, tokens: list[int]) -> None:
    """Extends by `tokens` and writes their keys, as a step of the decoder does."""
    cache.extend(sequence, len(tokens))
    for token in tokens:
        at = len(sequence.tokens)
        sequence.tokens.append(token)
        page = sequence.pages[at // PAGE]
        cache.pool.data[page * HALVES + at % PAGE] = mark(sequence.tokens, sequence)


def check(cache: PrefixTree, sequence: Sequence) -> None:
    """Every page of the sequence holds the keys of exactly its tokens."""
    for at in range(len(sequence.tokens)):
        found = cache.pool.data[sequence.pages[at // PAGE] * HALVES + at % PAGE]
        assert found == mark(sequence.tokens[: at + 1], sequence), f"position {at}"


def run(cache: PrefixTree, tokens: list[int]) -> int:
    """One request from start to end; how many tokens were known."""
    announced = cache.known(tokens)
    sequence = cache.start(tokens)
    known = len(sequence.tokens)
    assert announced == known
    assert sequence.tokens == tokens[:known]
    compute(cache, sequence, tokens[known:])
    check(cache, sequence)
    cache.finish(sequence)
    return known


def text(count: int, seed: int = 0) -> list[int]:
    return random.Random(seed).choices(range(1000), k=count)


@pytest.mark.parametrize("length", [1, 2, 31, 32, 33, 63, 64, 65, 100, 256, 257])
def test_the_same_request_again_computes_only_its_last_token(length: int) -> None:
    cache, tokens = make(20), text(length)
    assert run(cache, tokens) == 0
    assert run(cache, tokens) == length - 1
    assert run(cache, [*tokens, 5]) == length
    assert run(cache, [*tokens, 6, 7]) == length


@pytest.mark.parametrize("shared", [0, 1, 31, 32, 33, 40, 64, 70, 95])
def test_the_longest_known_beginning_is_found_within_pages(shared: int) -> None:
    cache, first = make(40), text(96, 1)
    run(cache, first)
    other = first[:shared] + [2000 + i for i in range(50)]
    assert run(cache, other) == shared
    # Both beginnings are known now, and the better one wins.
    assert run(cache, [*first[:90], 7]) == 90
    assert run(cache, [*other[: shared + 20], 7]) == shared + 20
    assert run(cache, first) == 95


def test_an_empty_or_unknown_request_shares_nothing() -> None:
    cache = make(4)
    assert cache.start([]) == Sequence()
    run(cache, text(40))
    assert cache.start([5000, 5001]) == Sequence()


def test_prompts_are_grouped_by_what_is_not_known() -> None:
    cache, first = make(40), text(96, 1)
    run(cache, first)
    prompts = [[*first, 1], [*first, 2, 3], text(9, 2), [*first[:90], 4], text(20, 3), text(5, 4)]
    # 1, 2 and 9 tokens; 1; 20; 5
    assert list(cache.grouped(prompts, 12)) == [range(3), range(3, 4), range(4, 5), range(5, 6)]
    assert list(cache.grouped(prompts, 25)) == [range(4), range(4, 6)]
    assert [len(group) for group in cache.grouped([], 25)] == [0]


def test_forks_write_into_pages_of_their_own() -> None:
    cache, prompt = make(30), text(40)
    first = cache.start(prompt)
    compute(cache, first, prompt)
    forks = [cache.fork(first) for _ in range(5)]
    assert cache.pool.free_pages == 28  # nothing is copied before it is written
    for i, sequence in enumerate([first, *forks]):
        compute(cache, sequence, [i] * 30)
    for i, sequence in enumerate([first, *forks]):
        assert sequence.tokens == [*prompt, *[i] * 30]
        check(cache, sequence)
    assert len({sequence.pages[0] for sequence in [first, *forks]}) == 1
    assert len({sequence.pages[1] for sequence in [first, *forks]}) == 6
    for sequence in [first, *forks]:
        cache.finish(sequence, remember=False)
    assert cache.pool.free_pages == 30


def test_whoever_extends_last_needs_no_copy() -> None:
    cache = make(4)
    first = cache.start([1])
    compute(cache, first, [1, 2, 3])
    fork = cache.fork(first)
    compute(cache, fork, [4])
    page = first.pages[0]
    compute(cache, first, [5])
    assert first.pages[0] == page
    check(cache, first)
    check(cache, fork)


def test_at_a_border_of_pages_nothing_is_copied() -> None:
    cache = make(4)
    first = cache.start(text(32))
    compute(cache, first, text(32))
    fork = cache.fork(first)
    compute(cache, fork, [1])
    compute(cache, first, [2])
    assert cache.pool.free_pages == 1 and first.pages[0] == fork.pages[0]


def test_what_was_used_longest_ago_goes_first() -> None:
    cache = make(6)
    documents = [text(64, seed) for seed in range(3)]
    for document in documents:
        run(cache, document)
    assert cache.pool.free_pages == 0
    run(cache, documents[0])  # used again, so the second is the oldest now
    run(cache, text(50, 9))
    assert run(cache, documents[0]) == 63
    assert run(cache, documents[1]) < 63


def test_leaves_go_before_the_beginning_that_others_share() -> None:
    cache, shared = make(7), text(64, 1)
    for seed in (2, 3, 4):
        run(cache, shared + text(32, seed))
    run(cache, text(90, 9))  # three pages, of which two are free
    assert run(cache, [*shared, 1]) == 64


def used(cache: PrefixTree) -> int:
    return cache.pool.pages - cache.pool.free_pages


def test_no_more_is_kept_than_should_be() -> None:
    cache = make(20, most=6)
    documents = [text(64, seed) for seed in range(5)]
    for document in documents:
        run(cache, document)
        assert used(cache) <= 6
    assert [cache.known(document) for document in documents] == [0, 0, 63, 63, 63]
    run(cache, text(20, 9))  # one page, which is the end of the oldest
    assert [cache.known(document) for document in documents] == [0, 0, 32, 63, 63]


def test_what_is_computed_may_take_more_which_is_given_back_behind_it() -> None:
    cache, long = make(20, most=6), text(15 * PAGE, 7)
    run(cache, text(64, 1))
    first, second = cache.start(long), cache.start(text(70, 8))
    compute(cache, first, long)
    assert used(cache) == 15
    compute(cache, second, text(70, 8))
    assert used(cache) == 18
    released: list[int] = []
    cache.pool.release = lambda: released.append(used(cache))  # type: ignore[method-assign]
    cache.finish(second, remember=False)
    assert used(cache) == 15 and released == [15]
    cache.finish(first)
    assert used(cache) == 6 and released == [15, 6]
    assert cache.known(long) == 6 * PAGE  # its beginning


def test_a_full_cache_is_refused_and_nothing_changes() -> None:
    cache, tokens = make(4), text(60)
    sequence = cache.start(tokens)
    compute(cache, sequence, tokens)
    other = cache.fork(sequence)
    with pytest.raises(MidlineError, match="cache is full"):
        cache.extend(other, 100)
    assert other.tokens == tokens and other.pages == sequence.pages
    compute(cache, other, [1, 2])
    check(cache, sequence)
    check(cache, other)
    for each in (sequence, other):
        cache.finish(each, remember=False)
    assert cache.pool.free_pages == 4


def test_pages_in_use_are_never_evicted() -> None:
    cache, tokens = make(4), text(100)
    run(cache, tokens)
    sequence = cache.start(tokens)
    assert len(sequence.pages) == 4
    with pytest.raises(MidlineError, match="cache is full"):
        cache.extend(cache.start(text(10, 5)), 10)
    check(cache, sequence)


def test_room_that_was_not_used_is_used_later_and_given_back() -> None:
    cache = make(8)
    sequence = cache.start([1])
    cache.extend(sequence, 100)  # cancelled before anything was computed
    cache.extend(sequence, 10)
    assert len(sequence.pages) == 4
    compute(cache, sequence, text(20))
    fork = cache.fork(sequence)
    assert len(fork.pages) == 1
    compute(cache, fork, text(50, 2))
    compute(cache, sequence, text(70, 3))
    check(cache, fork)
    check(cache, sequence)
    cache.finish(fork)
    cache.finish(sequence)
    assert run(cache, text(20)) == 19


class Naive:
    """Every sequence and every remembered text in full."""

    def __init__(self, pages: int, most: int | None = None) -> None:
        self.cache = make(pages, most)
        self.live: list[tuple[Sequence, list[int]]] = []

    def check(self) -> None:
        held = np.zeros(self.cache.pool.pages, int)
        for sequence, tokens in self.live:
            assert sequence.tokens == tokens
            check(self.cache, sequence)
            for page in sequence.pages:
                held[page] += 1
        nodes = [self.cache._root]
        while nodes:
            node = nodes.pop()
            nodes.extend(node.children.values())
            if node.parent is not None:
                held[node.page] += 1
                assert len(node.tokens) == PAGE or not node.children
                assert (node.dense < len(node.tokens)) == (node.origin is not None)
        assert held.tolist() == self.cache.pool.references
        assert self.cache.pool.free_pages == (held == 0).sum()


@pytest.mark.parametrize("seed", range(12))
def test_random_requests_against_a_naive_model(seed: int) -> None:
    """Few tokens and few pages, so that beginnings meet and pages run out all the time."""
    rng = random.Random(seed)
    naive = Naive(pages=rng.choice([6, 12, 40]), most=rng.choice([None, 4, 9]))
    ways = [(NEVER, None), (rng.randrange(70), "a"), (rng.randrange(70), "b"), (40, None)]
    cache, refused = naive.cache, 0
    for _ in range(150):
        action = rng.random()
        try:
            if action < 0.35 or not naive.live:
                tokens = rng.choices(range(2), k=rng.randrange(1, 4)) * rng.randrange(1, 40)
                sequence = cache.start(tokens, *rng.choice(ways))
                naive.live.append((sequence, list(sequence.tokens)))
                assert sequence.tokens == tokens[: len(sequence.tokens)]
                more = tokens[len(sequence.tokens) :]
                compute(cache, sequence, more)
                naive.live[-1][1].extend(more)
            elif action < 0.6:
                sequence, tokens = rng.choice(naive.live)
                more = rng.choices(range(2), k=rng.choice([1, 1, 2, 31, 32, 33]))
                compute(cache, sequence, more)
                tokens.extend(more)
            elif action < 0.75:
                sequence, tokens = rng.choice(naive.live)
                naive.live.append((cache.fork(sequence), list(tokens)))
            else:
                sequence, _ = naive.live.pop(rng.randrange(len(naive.live)))
                cache.finish(sequence, remember=rng.random() < 0.8)
        except MidlineError:
            refused += 1
        naive.check()
    for sequence, _ in naive.live:
        cache.finish(sequence)
    naive.live.clear()
    naive.check()
    if cache.pool.pages == 6:
        assert refused


@pytest.mark.parametrize("kept", [0, 1, PAGE, PAGE + 5, 3 * PAGE - 1, 3 * PAGE])
def test_truncated_tokens_are_forgotten_and_others_keep_theirs(kept: int) -> None:
    cache, tokens = make(12), text(3 * PAGE)
    sequence = cache.start([])
    compute(cache, sequence, tokens)
    fork = cache.fork(sequence)
    cache.truncate(sequence, kept)
    assert sequence.tokens == tokens[:kept] and len(sequence.pages) == -(-kept // PAGE)
    compute(cache, sequence, text(40, seed=1))
    check(cache, sequence)
    check(cache, fork)
    for one in (sequence, fork):
        cache.finish(one, remember=False)
    assert cache.pool.free_pages == 12


@pytest.mark.parametrize("sparse_from", [0, 5, 32, 40, 64])
def test_sparse_tokens_are_known_to_the_same_sparsity_alone(sparse_from: int) -> None:
    cache, tokens = make(30), text(100)
    sequence = cache.start(tokens, sparse_from, "half")
    compute(cache, sequence, tokens)
    cache.finish(sequence)
    assert cache.known([*tokens, 1]) == sparse_from
    for other in ((sparse_from, "third"), (sparse_from + 1, "half"), (NEVER, None)):
        found = cache.start([*tokens, 1], *other)
        assert len(found.tokens) == sparse_from
        cache.finish(found)
    again = cache.start([*tokens, 1], sparse_from, "half")
    assert again.tokens == tokens
    check(cache, again)
    cache.finish(again)
    assert run(cache, tokens) == sparse_from  # and its dense pages stand beside the sparse ones
    assert len(cache.start(tokens, sparse_from, "half").tokens) == 99


def test_without_a_key_sparse_tokens_are_forgotten() -> None:
    cache, tokens = make(30), text(100)
    sequence = cache.start(tokens, 40, None)
    compute(cache, sequence, tokens)
    cache.finish(sequence)
    assert len(cache.start([*tokens, 1], 40, None).tokens) == 40


def test_a_page_that_is_sparse_in_its_middle_serves_dense_requests_up_to_there() -> None:
    cache, tokens = make(30), text(60)
    dense = cache.start(tokens[:20])
    compute(cache, dense, tokens[:20])
    cache.finish(dense)
    assert cache.pool.free_pages == 29
    sequence = cache.start(tokens, 25, "half")
    assert sequence.tokens == tokens[:20]
    compute(cache, sequence, tokens[20:])
    cache.finish(sequence)
    assert cache.pool.free_pages == 28  # the shorter dense page has gone
    assert cache.known(tokens) == 25
