"""Resuming in the native engine: to the bit, from the prefix cache, sparse as well as dense."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from engine_models import all_logits, changed, engine, forget, random_ids

from midline.kernels import CancelFlag
from midline.model.decoding.continuous_batching import DENSE_TOKENS
from midline.model.engines.base import Completion, NativeOptions, Request, SamplingOptions
from midline.model.engines.native.engine import NativeEngine
from midline.model.runtime.kv_cache import PAGE
from midline.model.teal.profile import CalibrationText, Profile, write_profile
from midline.model.weights.packed import model_hash

DENSE = SamplingOptions(max_tokens=40, engine=NativeOptions(exact=True, draft="none"))
SPARSE = changed(DENSE, sparsity=0.5)
PROMPT = random_ids(30, seed=3)


@pytest.fixture
def model(
    variants: Callable[[str], Path], home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[NativeEngine]:
    path = variants("qwen2")
    monkeypatch.setenv("MIDLINE_HOME", str(path.parent))
    loaded = engine(path)
    loaded.tokenizer.end_tokens = frozenset()
    rows = ((1.0,) * 4,) * loaded.config.layers
    text = CalibrationText("noise", "", 0)
    own = Profile("", model_hash(path), 0.5, "magnitude", "uniform", rows, text)
    written = write_profile(own, path.parent / "profiles")
    yield loaded
    assert set(loaded.decoder.cache.pool.references) <= {0, 1}
    written.unlink()


@pytest.fixture
def rows(model: NativeEngine, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The number of tokens that each forward pass computes."""
    found, forward = [], model.decoder.forward

    def watched(batch, **more):
        found.append(sum(len(ids) for _, ids in batch))
        return forward(batch, **more)

    monkeypatch.setattr(model.decoder, "forward", watched)
    return found


def paused(model: NativeEngine, options: SamplingOptions, count: int) -> Completion:
    request = Request(PROMPT, stop=lambda _, ids: len(ids) == count)
    return model.generate(request, options).completions[0]


@pytest.mark.parametrize("options", [DENSE, SPARSE, changed(DENSE, draft="lookup")])
@pytest.mark.parametrize("count", [1, 3, DENSE_TOKENS + 1, PAGE, 37])
def test_what_is_in_the_cache_is_not_computed_again(
    model: NativeEngine, rows: list[int], options: SamplingOptions, count: int
) -> None:
    (whole,) = model.generate(Request(PROMPT), options).completions
    forget(model)
    first = paused(model, options, count)
    rows.clear()
    found = model.generate(Request(PROMPT, resume=first), options)
    (second,) = found.completions
    assert second == whole
    assert (found.prompt_tokens, found.cached_tokens) == (30 + count, 30 + count - 1)
    assert rows[0] == 1
    if options is SPARSE:
        assert second.ids != model.generate(Request(PROMPT), DENSE).completions[0].ids


@pytest.mark.parametrize("options", [DENSE, SPARSE])
def test_what_was_dropped_from_the_cache_is_computed_to_the_same_bits(
    model: NativeEngine, rows: list[int], options: SamplingOptions
) -> None:
    prompt = random_ids(70, seed=4)
    (whole,) = model.generate(Request(prompt), options).completions
    forget(model)
    request = Request(prompt, stop=lambda _, ids: len(ids) == 38)
    (first,) = model.generate(request, options).completions
    forget(model)
    rows.clear()
    found = model.generate(Request(prompt, resume=first), options)
    assert found.completions == [whole] and found.cached_tokens == 0
    assert rows[:3] == [70, 32, 6]


def test_generated_tokens_in_a_prompt_are_sparse_from_where_they_were(model: NativeEngine) -> None:
    """As a caller resumes who keeps one list of tokens."""
    (whole,) = model.generate(Request(PROMPT), SPARSE).completions
    first = paused(model, SPARSE, 20)
    request = Request([*PROMPT, *first.ids], sparse_from=len(PROMPT) + DENSE_TOKENS)
    found = model.generate(request, replace(SPARSE, max_tokens=20))
    assert found.completions[0].ids == whole.ids[20:]
    assert found.cached_tokens == 30 + 20 - 1


def test_dense_requests_do_not_find_what_is_sparse(model: NativeEngine) -> None:
    prompt = random_ids(14, seed=5)
    request = Request(prompt, stop=lambda _, ids: len(ids) == 15)
    (first,) = model.generate(request, SPARSE).completions
    text = [*prompt, *first.ids]
    assert model.cached_tokens(text) == 14 + DENSE_TOKENS
    other = model.generate(Request(text, sparse_from=20), SPARSE)
    assert other.cached_tokens == 14 + DENSE_TOKENS
    found = model.generate(Request(text), DENSE)
    assert found.cached_tokens == 20  # of what the request before has computed densely
    forget(model)
    assert model.generate(Request(text), DENSE).completions == found.completions


def test_a_cancelled_completion_is_resumed(model: NativeEngine) -> None:
    (whole,) = model.generate(Request(PROMPT), DENSE).completions
    cancel, heard = CancelFlag(), []

    def hear(drawn: object) -> None:
        heard.append(drawn)
        if len(heard) == 11:
            cancel.set()

    (first,) = model.generate(Request(PROMPT), DENSE, cancel=cancel, on_token=hear).completions
    assert (first.finish_reason, len(first.ids)) == ("cancelled", 11)
    assert model.generate(Request(PROMPT, resume=first), DENSE).completions == [whole]


def test_margins_tell_how_clear_a_choice_was(model: NativeEngine) -> None:
    margins: list[float] = []
    (completion,) = model.generate(
        Request(PROMPT), DENSE, on_token=lambda drawn: margins.append(drawn.margin)
    ).completions
    logits = all_logits(model.decoder, [*PROMPT, *completion.ids])[29:-1]
    for row, token, margin in zip(logits, completion.ids, margins, strict=True):
        best, second = sorted(row, reverse=True)[:2]
        assert row[token] == best and margin == pytest.approx(best - second)
    drawn: list[float] = []
    hot = replace(DENSE, temperature=3.0)
    model.generate(Request(PROMPT), hot, on_token=lambda one: drawn.append(one.margin))
    assert min(drawn) < 0
