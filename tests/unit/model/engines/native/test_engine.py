"""The engine's door: prompts in, completions out, the same whatever else is decoded."""

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from engine_models import (
    all_logits,
    changed,
    check_pages,
    drawn_ids,
    engine,
    forget,
    pages_in_use,
    random_ids,
    requests,
)

from midline import kernels
from midline.kernels import CancelFlag
from midline.model.decoding.options import MAX_SAMPLES
from midline.model.engines.base import DrawnToken, NativeOptions, Request, SamplingOptions
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import MidlineError, UsageError

GREEDY = SamplingOptions(max_tokens=12, engine=NativeOptions(exact=True))
RANDOM = SamplingOptions(max_tokens=12, temperature=1.0, seed=11)


@pytest.fixture(scope="module")
def model(variants: Callable[[str], Path]) -> NativeEngine:
    loaded = engine(variants("qwen2"))
    loaded.tokenizer.end_tokens = frozenset()  # noise ends now and then
    return loaded


@pytest.fixture(autouse=True)
def no_page_is_lost(request: pytest.FixtureRequest) -> Iterator[None]:
    """After every test only the tree of known beginnings holds pages, once each."""
    yield
    if "model" in request.fixturenames:
        check_pages(request.getfixturevalue("model"))


def test_greedy_decoding_follows_the_logits(model: NativeEngine) -> None:
    prompt = random_ids(30)
    (completion,) = model.generate(Request(prompt), GREEDY).completions
    assert len(completion.ids) == 12 and completion.finish_reason == "length"
    logits = all_logits(model.decoder, [*prompt, *completion.ids])
    wanted = logits[29:-1]
    assert completion.ids == wanted.argmax(axis=1).tolist()
    wide = wanted.astype(np.float64)
    log_sums = wide.max(1) + np.log(np.exp(wide - wide.max(1, keepdims=True)).sum(1))
    logprobs = wide.max(1) - log_sums
    assert completion.mean_logprob == pytest.approx(logprobs.mean(), abs=1e-5)
    assert completion.score == completion.mean_logprob
    assert completion.text == model.tokenizer.decode(completion.ids)


def test_a_prompt_is_computed_once(model: NativeEngine) -> None:
    forget(model)
    prompt = random_ids(100, seed=2)
    first = model.generate(Request(prompt), GREEDY)
    assert (first.prompt_tokens, first.cached_tokens) == (100, 0)
    again = model.generate(Request(prompt), GREEDY)
    assert (again.prompt_tokens, again.cached_tokens) == (100, 99)
    longer = [*prompt, *first.completions[0].ids[:8], 5]
    assert model.generate(Request(longer), GREEDY).cached_tokens == 108


def test_what_was_read_ahead_is_known_to_a_request(model: NativeEngine) -> None:
    prompt = random_ids(30, seed=31)  # so short that pieces change no bit
    model.prefill(prompt[:20])
    assert (model.cached_tokens(prompt), model.cached_tokens(prompt[:20])) == (20, 19)
    stopped = CancelFlag()
    stopped.set()
    held = pages_in_use(model.decoder)
    model.prefill(prompt, cancel=stopped)
    assert pages_in_use(model.decoder) == held
    ahead = model.generate(Request(prompt), GREEDY)
    assert ahead.cached_tokens == 20
    forget(model)
    assert drawn_ids(model.generate(Request(prompt), GREEDY)) == drawn_ids(ahead)
    with pytest.raises(MidlineError, match="empty"):
        model.prefill([])


def test_samples_do_not_depend_on_their_number_or_on_exact(model: NativeEngine) -> None:
    for length in (40, 300):
        prompt = random_ids(length, seed=3)
        model.generate(
            Request(prompt), replace(GREEDY, max_tokens=1)
        )  # the prompt's keys and values
        many = model.generate(Request(prompt), replace(RANDOM, samples=16))
        assert len({tuple(ids) for ids in drawn_ids(many)}) > 8
        for samples in (1, 2, 5, 40):
            for exact in (False, True):
                options = changed(RANDOM, samples=samples, exact=exact)
                found = model.generate(Request(prompt), options)
                both = min(samples, 16)
                assert drawn_ids(found)[:both] == drawn_ids(many)[:both]
                logprobs = [completion.mean_logprob for completion in found.completions]
                assert logprobs[:both] == [c.mean_logprob for c in many.completions[:both]]


def test_the_seed_decides(model: NativeEngine) -> None:
    prompt = random_ids(30, seed=4)
    one, same, other = (
        drawn_ids(model.generate(Request(prompt), replace(RANDOM, samples=4, seed=seed)))
        for seed in (1, 1, 2)
    )
    assert one == same != other


def test_several_prompts_together_are_as_each_alone(model: NativeEngine) -> None:
    prompts = [random_ids(n, seed=n) for n in (1, 31, 32, 33, 100, 257, 100)]
    for prompt in prompts:  # so that all find the same keys and values
        model.generate(Request(prompt), replace(GREEDY, max_tokens=1))
    for options in (GREEDY, replace(RANDOM, samples=3)):
        alone = [model.generate(Request(prompt), options) for prompt in prompts]
        together = model.batch(requests(prompts), options)
        assert [drawn_ids(g) for g in together] == [drawn_ids(g) for g in alone]
        assert [g.prompt_tokens for g in together] == [len(prompt) for prompt in prompts]
        assert [len(g.completions) for g in together] == [options.samples] * len(prompts)
    assert model.batch(requests([]), GREEDY) == []


def test_max_tokens_and_one_token(model: NativeEngine) -> None:
    for count in (1, 2, 7):
        (completion,) = model.generate(
            Request([1, 2, 3]), replace(GREEDY, max_tokens=count)
        ).completions
        assert len(completion.ids) == count and completion.finish_reason == "length"


def test_end_tokens_stop_and_are_not_written(
    model: NativeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = random_ids(20, seed=6)
    (free,) = model.generate(Request(prompt), GREEDY).completions
    end = free.ids[5]
    monkeypatch.setattr(model.tokenizer, "end_tokens", frozenset({end}))
    (found,) = model.generate(Request(prompt), GREEDY).completions
    assert found.ids == free.ids[: free.ids.index(end)] and found.finish_reason == "stop"
    monkeypatch.setattr(model.tokenizer, "end_tokens", frozenset({free.ids[0]}))
    generation = model.generate(Request(prompt), replace(GREEDY, samples=3))
    assert [(c.ids, c.text, c.mean_logprob) for c in generation.completions] == [([], "", 0.0)] * 3
    assert generation.timings.decode_tokens_per_second == 0


def test_stop_is_asked_for_each_sample_and_ends_only_that(model: NativeEngine) -> None:
    prompt, asked = random_ids(25, seed=7), []

    def stop(sample: int, ids: list[int]) -> bool:
        asked.append((sample, len(ids)))
        return len(ids) == 2 + sample

    found = model.generate(Request(prompt, stop=stop), replace(RANDOM, samples=3))
    free = model.generate(Request(prompt), replace(RANDOM, samples=3))
    assert [c.finish_reason for c in found.completions] == ["stop"] * 3
    assert drawn_ids(found) == [ids[: 2 + i] for i, ids in enumerate(drawn_ids(free))]
    assert sorted(asked) == [(s, n) for s in range(3) for n in range(1, 3 + s)]


def test_each_prompt_may_have_its_own_stop(model: NativeEngine) -> None:
    stops = [lambda sample, ids: len(ids) == 1, lambda sample, ids: len(ids) == 4]
    found = model.batch(requests([[1, 2], [3, 4]], stops=stops), GREEDY)
    assert [len(drawn_ids(g)[0]) for g in found] == [1, 4]


def test_tokens_are_heard_as_they_are_drawn(model: NativeEngine) -> None:
    heard: dict[int, list[int]] = {0: [], 1: []}
    options = replace(RANDOM, samples=2)
    found = model.generate(
        Request([5, 6]), options, on_token=lambda drawn: heard[drawn.sample].append(drawn.id)
    )
    assert [heard[0], heard[1]] == drawn_ids(found)


def test_a_listener_that_fails_costs_no_pages(model: NativeEngine) -> None:
    def fail(drawn: DrawnToken) -> None:
        raise RuntimeError("the listener is gone")

    with pytest.raises(RuntimeError, match="the listener is gone"):
        model.generate(Request(random_ids(40, seed=8)), replace(RANDOM, samples=4), on_token=fail)
    assert drawn_ids(model.generate(Request([1, 2]), GREEDY))


@pytest.mark.parametrize("cut", ["retur", "    for ind", "größe = “ä", "x"])
def test_aligned_bytes_are_written_first(model: NativeEngine, cut: str) -> None:
    for align in (cut.encode(), cut.encode()[:-1]):  # whole, and in the middle of a character
        asked: list[bytes] = []

        def written(ids: list[int]) -> bytes:
            return b"".join(map(model.tokenizer.token_bytes, ids))

        def stop(sample: int, ids: list[int], asked: list[bytes] = asked) -> bool:
            asked.append(written(ids))
            return False

        options = replace(RANDOM, samples=8, max_tokens=len(align) + 4)
        found = model.generate(Request(random_ids(30, seed=9), align=align, stop=stop), options)
        for completion in found.completions:
            assert written(completion.ids).startswith(align)
        assert all(data.startswith(align) for data in asked)  # it is not asked before


def test_many_samples_of_an_aligned_prompt_are_as_each_alone(model: NativeEngine) -> None:
    prompt, options = random_ids(30, seed=10), replace(RANDOM, samples=6)
    many = model.generate(Request(prompt, align=b"return "), options)
    one = model.generate(Request(prompt, align=b"return "), replace(options, samples=1))
    assert drawn_ids(one) == drawn_ids(many)[:1]
    batch = model.batch(requests([prompt, [4]], aligns=[b"return ", b""]), options)
    assert drawn_ids(batch[0]) == drawn_ids(many)


def test_the_context_ends_a_completion(model: NativeEngine) -> None:
    room = 6
    prompt = random_ids(model.context_length - room, seed=12)
    (completion,) = model.generate(Request(prompt), replace(GREEDY, max_tokens=50)).completions
    assert completion.finish_reason == "length" and len(completion.ids) == room
    with pytest.raises(MidlineError, match=r"has \d+ tokens and the context holds \d+; shorten it"):
        model.generate(Request(random_ids(model.context_length)), GREEDY)
    assert model.context_length == model.config.context_length == 1024


def test_a_prompt_one_short_of_the_context_still_gets_a_token(model: NativeEngine) -> None:
    prompt = random_ids(model.context_length - 1, seed=13)
    (completion,) = model.generate(Request(prompt), GREEDY).completions
    assert len(completion.ids) == 1 and completion.finish_reason == "length"


def test_an_empty_prompt_is_refused(model: NativeEngine) -> None:
    with pytest.raises(MidlineError, match="the prompt is empty"):
        model.generate(Request([]), GREEDY)
    with pytest.raises(MidlineError, match="the prompt is empty"):
        model.batch(requests([[1], []]), GREEDY)
    with pytest.raises(MidlineError, match="the prompt is empty"):
        model.logits([])


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("samples", 0),
        ("samples", MAX_SAMPLES + 1),
        ("max_tokens", 0),
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("temperature", float("inf")),
        ("top_p", 0.0),
        ("top_p", 1.1),
        ("top_p", float("nan")),
        ("min_p", -0.1),
        ("min_p", float("nan")),
        ("seed", -1),
        ("seed", 2**63),
    ],
)
def test_options_out_of_range_are_named(model: NativeEngine, name: str, value: float) -> None:
    with pytest.raises(UsageError, match=rf"^{name} is {value}, it must be"):
        model.generate(Request([1]), replace(GREEDY, **{name: value}))


def test_sparsity_without_a_profile_is_refused(model: NativeEngine) -> None:
    with pytest.raises(UsageError, match=r"no profile for --sparsity 0\.5"):
        model.generate(Request([1]), changed(GREEDY, sparsity=0.5))
    with pytest.raises(UsageError, match="between 0 and"):
        model.generate(Request([1]), changed(GREEDY, sparsity=0.95))


def test_a_cache_that_is_full_is_said_and_pages_come_back(variants: Callable[[str], Path]) -> None:
    model = engine(variants("llama"), cache_tokens=12 * 32, tail_tokens=0)
    prompt = random_ids(200)
    with pytest.raises(MidlineError, match="the key-value cache is full; use fewer samples"):
        model.generate(Request(prompt), replace(RANDOM, samples=8))
    assert len(drawn_ids(model.generate(Request(prompt), replace(RANDOM, samples=2)))) == 2
    forget(model)
    assert pages_in_use(model.decoder) == 0


def test_timings_count_what_was_computed(model: NativeEngine) -> None:
    forget(model)
    prompt = random_ids(64, seed=18)
    timings = model.generate(Request(prompt), replace(RANDOM, samples=4, max_tokens=9)).timings
    rate = timings.prefill_tokens_per_second * timings.prefill_ms / 1e3
    assert rate == pytest.approx(64)
    drawn = timings.decode_tokens_per_second * timings.decode_ms / 1e3
    assert drawn == pytest.approx(4 * 8)
    again = model.generate(Request(prompt), replace(GREEDY, max_tokens=1)).timings
    assert again.prefill_tokens_per_second * again.prefill_ms / 1e3 == pytest.approx(1)
    assert again.decode_tokens_per_second == 0


def test_requests_of_several_threads_take_turns(model: NativeEngine) -> None:
    prompts = [random_ids(20 + i, seed=i) for i in range(6)]
    alone = [drawn_ids(model.generate(Request(prompt), GREEDY)) for prompt in prompts]
    found: dict[int, list] = {}

    def run(i: int) -> None:
        found[i] = drawn_ids(model.generate(Request(prompts[i]), GREEDY))

    threads = [threading.Thread(target=run, args=(i,)) for i in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [found[i] for i in range(6)] == alone


def test_logits_at_every_position(model: NativeEngine) -> None:
    ids = random_ids(40, seed=20)
    before = pages_in_use(model.decoder)
    found = model.logits(ids)
    assert found.shape == (40, model.config.vocab) and found.dtype == np.float32
    floating = model.logits(ids, float_activations=True)
    error = np.abs(found - floating).max() / floating.std()
    assert 1e-4 < error < 0.2
    assert pages_in_use(model.decoder) == before


def test_loading_reports_and_names(
    tiny_llama: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[float] = []
    model = NativeEngine.load(tiny_llama, threads=1, progress=heard.append)
    assert model.name == "tiny-llama" and heard[-1] == 1 and model.load_ms > 0
    assert model.decoder.threads == 1
    with pytest.raises(UsageError, match="threads is 0"):
        NativeEngine.load(tiny_llama, threads=0)

    def refuse() -> str:
        raise ValueError("MIDLINE_KERNELS=mmx does not run on this CPU; possible here: scalar")

    monkeypatch.setattr(kernels, "kernel_name", refuse)
    with pytest.raises(MidlineError, match="MIDLINE_KERNELS=mmx does not run"):
        NativeEngine.load(tiny_llama)
