"""Batches larger than what is decoded at once: the same texts, whoever is beside whom."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from engine_models import drawn_ids, engine, random_ids, requests

from midline.kernels import CancelFlag
from midline.model.engines.base import Generation, NativeOptions, Request, SamplingOptions
from midline.model.engines.native.engine import NativeEngine

GREEDY = SamplingOptions(max_tokens=12, engine=NativeOptions(exact=True))
RANDOM = SamplingOptions(max_tokens=12, temperature=1.0, top_p=0.9, seed=7)
PROMPTS = [random_ids(n, seed=n) for n in (3, 31, 20, 9, 14)]


@pytest.fixture(scope="module")
def model(variants: Callable[[str], Path]) -> NativeEngine:
    loaded = engine(variants("qwen2"), threads=2)
    loaded.tokenizer.end_tokens = frozenset()
    return loaded


@pytest.mark.parametrize("streams", [1, 2, 3, 6, 64])
@pytest.mark.parametrize("options", [GREEDY, replace(RANDOM, samples=3)], ids=["greedy", "random"])
def test_prompts_wait_for_room_and_are_as_each_alone(
    model: NativeEngine, monkeypatch: pytest.MonkeyPatch, options: SamplingOptions, streams: int
) -> None:
    alone = [model.generate(Request(prompt), options) for prompt in PROMPTS]
    rows, forward = [], model.decoder.forward

    def watched(batch, **more):
        rows.append(sum(len(ids) == 1 for _, ids in batch))
        return forward(batch, **more)

    monkeypatch.setattr(model.decoder, "forward", watched)
    lengths = [3, 12, 5, 8, 1]
    stops = [lambda _, ids, most=most: len(ids) == most for most in lengths]
    found = model.batch(requests(PROMPTS, stops=stops), options, streams=streams)
    assert [drawn_ids(g) for g in found] == [
        [ids[:most] for ids in drawn_ids(g)] for g, most in zip(alone, lengths, strict=True)
    ]
    assert max(rows) <= max(streams, options.samples)


def test_each_prompt_is_told_of_once_when_it_is_finished(model: NativeEngine) -> None:
    told: dict[int, list[list[int]]] = {}
    lengths = [9, 2, 12, 1, 4]
    stops = [lambda _, ids, most=most: len(ids) == most for most in lengths]
    found = model.batch(
        requests(PROMPTS, stops=stops),
        GREEDY,
        streams=2,
        on_done=lambda n, g: told.setdefault(n, drawn_ids(g)),
    )
    assert list(told) == [1, 0, 3, 4, 2]
    assert [told[n] for n in range(len(PROMPTS))] == [drawn_ids(g) for g in found]


def test_seeds_are_each_prompts_own(model: NativeEngine) -> None:
    prompts = [PROMPTS[0]] * 3
    found = model.batch(requests(prompts, seeds=[7, 8, 7]), RANDOM, streams=2)
    assert (
        drawn_ids(found[0])
        == drawn_ids(found[2])
        == drawn_ids(model.generate(Request(prompts[0]), RANDOM))
    )
    assert drawn_ids(found[1]) == drawn_ids(
        model.generate(Request(prompts[1]), replace(RANDOM, seed=8))
    )
    assert drawn_ids(found[0]) != drawn_ids(found[1])


def test_a_listener_that_fails_costs_no_pages(model: NativeEngine) -> None:
    def fail(number: int, generation: Generation) -> None:
        raise RuntimeError("the disk is full")

    with pytest.raises(RuntimeError, match="the disk is full"):
        model.batch(requests(PROMPTS), GREEDY, streams=2, on_done=fail)
    assert set(model.decoder.cache.pool.references) <= {0, 1}
    assert drawn_ids(model.generate(Request(PROMPTS[0]), GREEDY))


def test_what_waits_when_it_is_cancelled_has_nothing(model: NativeEngine) -> None:
    cancel = CancelFlag()
    told: list[int] = []

    def done(number: int, generation: Generation) -> None:
        told.append(number)
        cancel.set()

    found = model.batch(requests(PROMPTS), GREEDY, streams=1, cancel=cancel, on_done=done)
    assert told == [0]
    assert [g.completions and g.completions[0].finish_reason for g in found] == [
        "length",
        "cancelled",
        [],
        [],
        [],
    ]
