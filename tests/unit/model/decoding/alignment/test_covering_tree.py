"""The covering tree against every sequence of tokens that writes the given bytes."""

import itertools
import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from engine_models import changed, engine, pages_in_use, requests

from midline.kernels import CancelFlag
from midline.model.decoding.alignment import covering_tree
from midline.model.decoding.alignment.covering_tree import CoveringTree, Leaf, grow
from midline.model.decoding.alignment.token_healing import back_up
from midline.model.engines.base import NativeOptions, Request, SamplingOptions
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.runtime.decoder import StepOptions
from midline.model.runtime.kv_cache import Sequence
from midline.model.tokenizer.tokenizer import Tokenizer

GREEDY = SamplingOptions(
    max_tokens=6, engine=NativeOptions(alignment="tree", exact=True, draft="none")
)
TEXTS = [
    "class Stack:\n    def ret",
    "    return self.val",
    "for i in range(le",
    "    if x == ",
    "        ",
    "naïve = 'é' or re",
]
ROUNDING = 1e-4
"""Nats: sums of a few float32 log-probabilities."""


@pytest.fixture(scope="module")
def model(variants: Callable[[str], Path]) -> NativeEngine:
    loaded = engine(variants("qwen2"), threads=1)
    loaded.tokenizer.end_tokens = frozenset()  # noise ends now and then
    return loaded


def cut(model: NativeEngine, text: str) -> tuple[list[int], bytes]:
    """The prompt and the bytes given back, as `build_prompt` makes them behind a marker."""
    marker = model.tokenizer.special_id("<|fim_middle|>")
    assert marker is not None
    return back_up(model.tokenizer, [marker, *model.tokenizer.encode(text)], 3)


def ways(tokenizer: Tokenizer, given: bytes) -> Iterator[tuple[int, ...]]:
    """Every sequence of tokens that covers `given` and of which only the last one may go on."""
    for id in np.union1d(
        tokenizer.tokens_with_prefix(given), tokenizer.tokens_that_prefix(given)
    ).tolist():
        rest = given[len(tokenizer.token_bytes(id)) :]
        if rest:
            yield from ((id, *more) for more in ways(tokenizer, rest))
        else:
            yield (id,)


def canonical(model: NativeEngine, prompt: list[int], ids: tuple[int, ...]) -> bool:
    text = b"".join(map(model.tokenizer.token_bytes, [*prompt[1:], *ids]))
    try:
        text.decode()
    except UnicodeDecodeError:
        return False
    return model.tokenizer.encode(text) == [*prompt[1:], *ids]


def log_softmax(logits: np.ndarray) -> np.ndarray:
    wide = logits.astype(np.float64)
    return wide - np.logaddexp.reduce(wide, axis=-1, keepdims=True)


def enumerated(
    model: NativeEngine, prompt: list[int], given: bytes
) -> dict[tuple[int, ...], float]:
    """Log-probabilities of all canonical ways, each read on its own."""
    found = {}
    for ids in ways(model.tokenizer, given):
        if canonical(model, prompt, ids):
            logits = log_softmax(model.logits([*prompt, *ids]))
            behind = range(len(prompt) - 1, len(prompt) + len(ids) - 1)
            found[ids] = float(sum(logits[at, id] for at, id in zip(behind, ids, strict=True)))
    return found


def likeliest(ways: dict[tuple[int, ...], float]) -> tuple[int, ...]:
    """Token by token the one that most of what is left begins with."""
    chosen: tuple[int, ...] = ()
    while chosen not in ways:
        mass: dict[int, float] = {}
        for ids, score in ways.items():
            if ids[: len(chosen)] == chosen:
                mass[ids[len(chosen)]] = mass.get(ids[len(chosen)], 0.0) + math.exp(score)
        chosen = (*chosen, max(mass, key=mass.__getitem__))
    return chosen


def grown(model: NativeEngine, prompt: list[int], given: bytes, temperature: float) -> CoveringTree:
    decoder, sequence = model.decoder, Sequence()
    forward = partial(decoder.forward, options=StepOptions(exact=True))
    row = forward([(sequence, prompt)])[0]
    tree = CoveringTree(model.tokenizer, sequence, given)
    tree.add(tree.root, row)
    grow([tree], temperature, forward, decoder.cache)
    return tree


def leaves(
    model: NativeEngine, prompt: list[int], tree: CoveringTree
) -> dict[tuple[int, ...], float]:
    return {
        (*node.ids, int(token)): float(score)
        for node in tree.nodes.values()
        for token, score in zip(node.tokens, node.scores, strict=True)
        if canonical(model, prompt, (*node.ids, int(token)))
    }


@pytest.mark.parametrize("text", TEXTS)
def test_leaves_are_the_canonical_ways_with_their_probabilities(
    model: NativeEngine, text: str
) -> None:
    prompt, given = cut(model, text)
    assert given
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(covering_tree, "NEGLIGIBLE", 1e-30)
        tree = grown(model, prompt, given, 1.0)
    expected = enumerated(model, prompt, given)
    found = leaves(model, prompt, tree)
    assert found.keys() == expected.keys() and len(found) > 0
    assert all(abs(found[ids] - expected[ids]) < ROUNDING for ids in expected)
    tree.close(model.decoder.cache)
    model.release(tree.root.sequence or Sequence())


@pytest.mark.parametrize("text", TEXTS)
def test_greedy_takes_the_likeliest_tokens_and_goes_on(model: NativeEngine, text: str) -> None:
    prompt, given = cut(model, text)
    expected = enumerated(model, prompt, given)
    best = likeliest(expected)
    found = model.generate(Request(prompt, align=given), GREEDY).completions[0]
    assert tuple(found.ids[: len(best)]) == best
    plain = model.generate(Request([*prompt, *best]), replace(GREEDY, max_tokens=6 - len(best)))
    assert found.ids[len(best) :] == plain.completions[0].ids


def test_greedy_reads_what_it_needs_and_no_more() -> None:
    """On trees with made-up probabilities: the choice is that of the whole tree."""
    read = readable = 0
    chosen: set[int] = set()
    for seed in range(400):
        dice = np.random.default_rng(seed)
        tree = made_up(b"abc")
        logits = {ids: dice.normal(0, 4, len(SYLLABLES)) for ids in tree.nodes}
        tree.add(tree.root, logits[()].astype(np.float32))
        while nodes := tree.promising(0.0):
            for node in nodes:
                node.sequence = Sequence()
                tree.add(node, logits[node.ids].astype(np.float32))
                read += 1
        found = tree.draw(GREEDY, 0).ids
        assert found == likeliest(all_ways(tree, logits))
        readable += len(tree.nodes) - 1
        chosen.add(len(found))
    assert chosen == {1, 2, 3}
    assert 0 < read < readable


SYLLABLES = [b"a", b"ab", b"abc", b"b", b"bc", b"c", b"abcd", b"bcd", b"cd"]


def all_ways(
    tree: CoveringTree, logits: dict[tuple[int, ...], np.ndarray]
) -> dict[tuple[int, ...], float]:
    """Every leaf's log-probability."""
    found = {}
    for ids, node in tree.nodes.items():
        behind = sum(float(log_softmax(logits[ids[:n]])[id]) for n, id in enumerate(ids))
        for id, text in enumerate(SYLLABLES):
            if text.startswith(node.rest):
                found[*ids, id] = behind + float(log_softmax(logits[ids])[id])
    return found


def made_up(given: bytes) -> CoveringTree:
    """A tree of all ways to write `given` in syllables, whatever the tokenizer would do."""

    class Spelling:
        def tokens_with_prefix(self, prefix: bytes) -> np.ndarray:
            return np.array([id for id, t in enumerate(SYLLABLES) if t.startswith(prefix)])

        def token_bytes(self, id: int) -> bytes:
            return SYLLABLES[id]

    class EveryWay(CoveringTree):
        def _tokenizations(self, given: bytes) -> Iterator[tuple[int, ...]]:
            for count in range(1, len(given)):
                for ids in itertools.product(range(len(SYLLABLES)), repeat=count):
                    if b"".join(SYLLABLES[id] for id in ids) in (given[:1], given[:2]):
                        yield ids

        def _is_canonical(self, leaf: Leaf) -> bool:
            return True

    return EveryWay(Spelling(), Sequence(), given)  # type: ignore[arg-type]


def test_draws_have_the_leaves_distribution(model: NativeEngine) -> None:
    """Chi-squared over the ways that are expected five times or more, the others together."""
    prompt, given = cut(model, TEXTS[3])
    expected = enumerated(model, prompt, given)
    weights = {ids: math.exp(score / 0.5) for ids, score in expected.items()}
    total, draws = sum(weights.values()), 4000
    tree = grown(model, prompt, given, 1.0)
    counts: dict[tuple[int, ...], int] = {}
    options = replace(GREEDY, temperature=0.5)
    for sample in range(draws):
        ids = tree.draw(options, sample).ids
        counts[ids] = counts.get(ids, 0) + 1
    assert counts.keys() <= weights.keys()
    usual = [ids for ids in weights if draws * weights[ids] / total >= 5]
    cells = [(counts.get(ids, 0), draws * weights[ids] / total) for ids in usual]
    cells.append((draws - sum(c for c, _ in cells), draws - sum(e for _, e in cells)))
    chi = sum((count - mean) ** 2 / max(mean, 1) for count, mean in cells)
    freedom = len(cells) - 1
    assert freedom >= 3
    assert chi < freedom + 5 * math.sqrt(2 * freedom)


def test_samples_go_their_own_ways_and_do_not_depend_on_their_number(model: NativeEngine) -> None:
    prompt, given = cut(model, TEXTS[0])
    drawn = replace(GREEDY, temperature=1.5, samples=8, seed=3)
    eight = model.generate(Request(prompt, align=given), drawn).completions
    two = model.generate(Request(prompt, align=given), replace(drawn, samples=2)).completions
    assert [c.ids for c in two] == [c.ids for c in eight[:2]]
    assert len({tuple(c.ids[:1]) for c in eight}) > 1
    data = [b"".join(map(model.tokenizer.token_bytes, c.ids)) for c in eight]
    assert all(written.startswith(given) for written in data)


def test_prompts_that_are_covered_together_are_covered_as_alone(model: NativeEngine) -> None:
    prompts, givens = zip(*(cut(model, text) for text in TEXTS), strict=True)
    together = model.batch(requests([*prompts, [5, 6, 7]], aligns=[*givens, b""]), GREEDY)
    for prompt, given, found in zip([*prompts, [5, 6, 7]], [*givens, b""], together, strict=True):
        alone = model.generate(Request(prompt, align=given), GREEDY)
        assert found.completions == alone.completions


def test_prompts_that_are_covered_together_have_their_own_seeds(model: NativeEngine) -> None:
    prompt, given = cut(model, TEXTS[0])
    drawn = replace(GREEDY, temperature=1.5, samples=4)
    together = model.batch(requests([prompt] * 3, seeds=[7, 8, 7], aligns=[given] * 3), drawn)
    ids = [[c.ids for c in found.completions] for found in together]
    alone = model.generate(Request(prompt, align=given), replace(drawn, seed=8))
    assert ids[0] == ids[2] != ids[1] == [c.ids for c in alone.completions]


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_nothing_is_held_afterwards(model: NativeEngine, temperature: float) -> None:
    options = replace(GREEDY, temperature=temperature, samples=3)
    for text in TEXTS:
        prompt, given = cut(model, text)
        model.generate(Request(prompt, align=given), options)
    assert set(model.decoder.cache.pool.references) <= {0, 1}
    assert model.cached_tokens([*prompt, 1]) == len(prompt)


def test_a_cancelled_tree_gives_everything_back(model: NativeEngine) -> None:
    prompt, given = cut(model, TEXTS[4])
    cancel = CancelFlag()
    forward = model.decoder.forward
    calls = itertools.count()

    def cancelling(*args: object, **more: object) -> np.ndarray:
        if next(calls) == 1:
            cancel.set()
        return forward(*args, **more)  # type: ignore[arg-type]

    before = pages_in_use(model.decoder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(model.decoder, "forward", cancelling)
        found = model.generate(Request(prompt, align=given), GREEDY, cancel=cancel)
    assert found.completions[0].finish_reason == "cancelled"
    assert set(model.decoder.cache.pool.references) <= {0, 1}
    assert pages_in_use(model.decoder) <= before + 1


def test_the_limit_and_stop_end_a_leaf(model: NativeEngine) -> None:
    prompt, given = cut(model, TEXTS[4])
    found = model.generate(Request(prompt, align=given), replace(GREEDY, max_tokens=1)).completions[
        0
    ]
    assert (len(found.ids), found.finish_reason) == (1, "length")
    asked: list[bytes] = []

    def stop(_: int, ids: list[int]) -> bool:
        asked.append(b"".join(map(model.tokenizer.token_bytes, ids)))
        return True

    found = model.generate(Request(prompt, align=given, stop=stop), GREEDY).completions[0]
    assert found.finish_reason == "stop"
    assert len(asked) == 1 and asked[0].startswith(given)


def test_bytes_inside_a_character_and_special_text_are_written(model: NativeEngine) -> None:
    prompt, _ = cut(model, "x = '")
    for given in ("😀".encode()[:2], "a😀".encode()[:4], b"<tool_call>"):
        options = replace(GREEDY, max_tokens=16)
        found = model.generate(Request(prompt, align=given), options).completions[0]
        assert b"".join(map(model.tokenizer.token_bytes, found.ids)).startswith(given)


def test_a_long_run_of_spaces_has_few_branches(model: NativeEngine) -> None:
    prompt, _ = cut(model, "x = 1")
    tree = CoveringTree(model.tokenizer, Sequence(prompt), b" " * 200)
    beginnings = {len(tree.root.rest) - len(node.rest) for node in tree.nodes.values()}
    assert {200 - n for n in range(1, covering_tree.MOST_BYTES + 1)} <= beginnings


def test_another_alignment_is_refused(model: NativeEngine) -> None:
    with pytest.raises(UsageError, match="alignment is x, it must be tokens or tree"):
        model.generate(Request([1]), changed(GREEDY, alignment="x"))  # type: ignore[arg-type]
