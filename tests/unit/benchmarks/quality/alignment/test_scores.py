"""Log-probabilities of the truth against logits that are computed for each case on its own."""

from pathlib import Path

import numpy as np
import pytest
from engine_models import engine, pages_in_use

from midline.benchmarks.quality.alignment.cases import Layout, Line
from midline.benchmarks.quality.alignment.measure import MODES, REFERENCES, request
from midline.benchmarks.quality.alignment.scores import LineReader, LineScores, Request
from midline.model.engines.native.engine import NativeEngine
from midline.model.runtime.decoder import StepOptions

LINE = Line("MBPP/1", "python", "def f(x):\n", "    return self.items[0] + re", "\n\nf(1)\n")
CUTS = (2, 4, 7, 13, 17, 22, 26)
ROUNDING = 1e-3
"""Nats: sums of a few float32 log-probabilities."""


@pytest.fixture(scope="module")
def model(tiny_qwen2: Path) -> NativeEngine:
    return engine(tiny_qwen2, threads=1)


@pytest.fixture(scope="module")
def layout(model: NativeEngine) -> Layout:
    """Its prompt is in the cache, so that no pass has more rows than keep every bit."""
    found = Layout(model.tokenizer, LINE, "fim")
    model.prefill([*found.ids, 1])
    return found


@pytest.fixture(scope="module")
def scores(model: NativeEngine, layout: Layout) -> LineScores:
    asked = [request(layout, at, mode) for at in CUTS for mode in (*MODES, *REFERENCES)]
    reader = LineReader(model, layout)
    found = reader.score(list(dict.fromkeys(asked)))
    reader.close()
    return found


def truth(layout: Layout, asked: Request) -> list[int]:
    """The tokens that are scored."""
    kept = asked.ids[len(layout.ids) :]
    if kept == layout.true[: len(kept)]:
        return list(layout.true[len(kept) :])
    return layout.tokenizer.encode(asked.align + asked.target)


def log_softmax(row: np.ndarray) -> np.ndarray:
    wide = row.astype(np.float64)
    return wide - np.logaddexp.reduce(wide)


def alone(model: NativeEngine, asked: Request, tokens: list[int]) -> list[np.ndarray]:
    """Log-probabilities at each of the tokens."""
    decoder, ids = model.decoder, [*asked.ids, *tokens[:-1]]
    sequence = decoder.cache.start(asked.ids)
    batch = [(sequence, ids[len(sequence.tokens) :])]
    rows = decoder.forward(batch, logits="all", options=StepOptions(exact=True))
    decoder.cache.finish(sequence, remember=False)
    return [log_softmax(row) for row in rows[-len(tokens) :]]


@pytest.mark.parametrize("mode", ["none", *REFERENCES])
def test_without_alignment_it_is_the_models(
    model: NativeEngine, layout: Layout, scores: LineScores, mode: str
) -> None:
    for at in CUTS:
        asked = request(layout, at, mode)
        tokens = truth(layout, asked)
        rows = alone(model, asked, tokens) if tokens else []
        expected = sum(float(row[token]) for row, token in zip(rows, tokens, strict=True))
        assert scores.logprobs[asked] == pytest.approx(expected, abs=ROUNDING)


@pytest.mark.parametrize("mode", ["1", "3"])
def test_stepwise_it_is_among_the_tokens_that_agree(
    model: NativeEngine, layout: Layout, scores: LineScores, mode: str
) -> None:
    constrained = 0
    for at in CUTS:
        asked = request(layout, at, mode)
        tokens, rest, expected = truth(layout, asked), asked.align, 0.0
        for row, token in zip(alone(model, asked, tokens), tokens, strict=True):
            expected += float(row[token])
            data = model.tokenizer.token_bytes(token)
            if rest:
                allowed = np.concatenate(
                    [
                        model.tokenizer.tokens_with_prefix(rest),
                        model.tokenizer.tokens_that_prefix(rest),
                    ]
                )
                expected -= float(np.logaddexp.reduce(row[np.unique(allowed)]))
                constrained += 1
            rest = rest[len(data) :]
        assert scores.logprobs[asked] == pytest.approx(expected, abs=ROUNDING)
    assert constrained > len(CUTS) / 2


def test_in_the_tree_it_is_among_the_leaves(
    model: NativeEngine, layout: Layout, scores: LineScores
) -> None:
    compared = 0
    for at in CUTS:
        asked = request(layout, at, "tree")
        tokens = truth(layout, asked)
        rows = alone(model, asked, tokens)
        path = sum(float(row[token]) for row, token in zip(rows, tokens, strict=True))
        assert path - ROUNDING < scores.logprobs[asked] < ROUNDING
        leaves = model.tokenizer.tokens_with_prefix(asked.align)
        if asked.align and len(asked.align) == 1:  # there are no branches
            mass = float(np.logaddexp.reduce(rows[0][leaves]))
            assert scores.logprobs[asked] == pytest.approx(path - mass, abs=ROUNDING)
            compared += 1
    assert compared > 0


def test_costs_are_those_of_aligned_requests(layout: Layout, scores: LineScores) -> None:
    assert scores.costs
    for asked, cost in scores.costs.items():
        assert asked.align and 0 < cost.milliseconds < 1000
        assert asked.tree or cost.rows == 0


def test_nothing_is_held_afterwards(
    model: NativeEngine, layout: Layout, scores: LineScores
) -> None:
    before = pages_in_use(model.decoder)
    reader = LineReader(model, layout)
    reader.score(list(scores.logprobs))
    reader.close()
    assert pages_in_use(model.decoder) == before
