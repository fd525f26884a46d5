"""Many samples of one prompt: each as it is alone, at the cost of what they do not share."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from engine_models import EXACT, changed, drawn_ids, engine, forget, pages_in_use, random_ids

from midline.kernels import CancelFlag
from midline.model.engines.base import DrawnToken, NativeOptions, Request, SamplingOptions
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.runtime.decoder import Decoder
from midline.model.runtime.kv_cache import PAGE

RANDOM = SamplingOptions(max_tokens=12, temperature=1.0, seed=11, engine=NativeOptions(exact=True))


@pytest.fixture(scope="module")
def model(variants: Callable[[str], object]) -> NativeEngine:
    loaded = engine(variants("qwen2"), threads=1)  # type: ignore[arg-type]
    loaded.tokenizer.end_tokens = frozenset()
    return loaded


@pytest.fixture
def passes(model: NativeEngine, monkeypatch: pytest.MonkeyPatch) -> list[tuple[list, np.ndarray]]:
    """What was computed: of every pass the tokens known and fed of each row, and the logits."""
    made: list[tuple[list, np.ndarray]] = []
    forward = Decoder.forward

    def record(self: Decoder, batch: list, **how: object) -> np.ndarray:
        rows = [(*sequence.tokens, *ids) for sequence, ids in batch]
        logits = forward(self, batch, **how)  # type: ignore[arg-type]
        made.append((rows, logits.copy()))
        return logits

    monkeypatch.setattr(Decoder, "forward", record)
    return made


def test_every_row_of_a_batch_has_the_bits_of_a_run_alone(
    model: NativeEngine, passes: list[tuple[list, np.ndarray]]
) -> None:
    """Sixteen samples, then each of them forced through the model alone."""
    for length in (40, 300):
        prompt = random_ids(length, seed=length)
        model.prefill([*prompt, 1])
        passes.clear()
        many = model.generate(Request(prompt), replace(RANDOM, samples=16))
        computed = {row: logits[n] for rows, logits in passes for n, row in enumerate(rows)}
        assert len({tuple(one) for one in drawn_ids(many)}) > 8
        cache = model.decoder.cache
        for sample in drawn_ids(many):
            alone = cache.start(prompt)
            for known, id in enumerate([prompt[-1], *sample[:-1]]):
                (logits,) = model.decoder.forward([(alone, [id])], options=EXACT)
                assert (logits == computed[(*prompt, *sample[:known])]).all()
            cache.finish(alone, remember=False)


@pytest.mark.parametrize("temperature", [0.02, 0.3, 1.0])
def test_samples_that_wrote_the_same_share_a_row(
    model: NativeEngine, passes: list[tuple[list, np.ndarray]], temperature: float
) -> None:
    prompt = random_ids(50, seed=1)
    options = replace(RANDOM, samples=16, temperature=temperature)
    found = model.generate(Request(prompt), options)
    steps = [rows for rows, _ in passes[1:]]
    for number, rows in enumerate(steps, 1):
        assert sorted(rows) == sorted({(*prompt, *one[:number]) for one in drawn_ids(found)})
    assert min(map(len, steps)) < 16
    alone = [model.generate(Request(prompt), replace(options, samples=n)) for n in (1, 5)]
    assert [drawn_ids(found)[:1], drawn_ids(found)[:5]] == [drawn_ids(one) for one in alone]
    assert found.timings.decode_tokens_per_second > 0


def test_samples_that_drew_the_same_leaf_share_a_row(
    model: NativeEngine, passes: list[tuple[list, np.ndarray]]
) -> None:
    prompt = random_ids(50, seed=1)
    options = changed(RANDOM, samples=16, temperature=0.7, alignment="tree", max_tokens=20)
    align = b"    return va"
    found = model.generate(Request(prompt, align=align), options)
    rows = {row for made, _ in passes for row in made}
    for one in drawn_ids(found):
        assert {(*prompt, *one[:n]) for n in range(len(one))} <= rows
    assert all(len(set(made)) == len(made) for made, _ in passes)
    alone = [
        model.generate(Request(prompt, align=align), replace(options, samples=n)) for n in (1, 5)
    ]
    assert [drawn_ids(found)[:1], drawn_ids(found)[:5]] == [drawn_ids(one) for one in alone]
    first = model.generate(Request(prompt, align=align), replace(options, greedy_first=True))
    greedy = changed(options, samples=1, temperature=0.0, draft="none")
    assert drawn_ids(first)[:1] == drawn_ids(model.generate(Request(prompt, align=align), greedy))
    assert drawn_ids(first)[1:] == drawn_ids(found)[1:]
    forget(model)


def test_memory_is_the_prompts_once_and_the_tails(model: NativeEngine) -> None:
    """Sixteen samples of one page of tail each: at most sixteen pages more than one sample has."""
    prompt = random_ids(10 * PAGE + 1, seed=2)
    held: dict[int, int] = {}
    for samples in (1, 16):
        options = replace(RANDOM, samples=samples, max_tokens=PAGE - 2)
        most = [0]

        def count(drawn: DrawnToken, most: list[int] = most) -> None:
            most[0] = max(most[0], pages_in_use(model.decoder))

        before = pages_in_use(model.decoder)
        model.generate(Request(prompt), options, on_token=count)
        held[samples] = most[0] - before
        forget(model)
    assert held[16] - held[1] <= 16


def test_a_finished_sample_leaves_the_batch_and_its_pages(
    model: NativeEngine, passes: list[tuple[list, np.ndarray]]
) -> None:
    prompt, held = random_ids(2 * PAGE, seed=3), []

    def stop(sample: int, written: list[int]) -> bool:
        held.append(pages_in_use(model.decoder))
        return sample < 15 and len(written) == 3

    options = replace(RANDOM, samples=16, temperature=3.0, max_tokens=20)
    found = model.generate(Request(prompt, stop=stop), options)
    assert [c.finish_reason for c in found.completions] == ["stop"] * 15 + ["length"]
    assert len(passes[2][0]) > 10 and all(len(rows) == 1 for rows, _ in passes[3:])
    assert held[-1] < max(held) - 10
    forget(model)


def test_a_batch_cancelled_in_its_middle_gives_every_page_back(model: NativeEngine) -> None:
    prompt = random_ids(3 * PAGE + 5, seed=4)
    free = model.decoder.cache.pool.free_pages
    for drawn in (1, 7, 16, 50, 130):
        cancel, heard = CancelFlag(), [0]

        def hear(drawn: DrawnToken, heard: list = heard) -> None:
            heard[0] += 1

        def stop(sample: int, written: list[int], drawn: int = drawn, heard: list = heard,
                 cancel: CancelFlag = cancel) -> bool:  # fmt: skip
            if heard[0] == drawn:
                cancel.set()
            return False

        options = replace(RANDOM, samples=16, max_tokens=40)
        found = model.generate(Request(prompt, stop=stop), options, cancel=cancel, on_token=hear)
        assert len(found.completions) == 16
        assert {c.finish_reason for c in found.completions} == {"cancelled"}
        assert sum(map(len, drawn_ids(found))) == drawn
        forget(model)
        assert model.decoder.cache.pool.free_pages == free


def test_a_cancelled_prompt_has_as_many_answers_as_were_asked_for(model: NativeEngine) -> None:
    cancel = CancelFlag()
    cancel.set()
    found = model.generate(
        Request(random_ids(40, seed=5)), replace(RANDOM, samples=4), cancel=cancel
    )
    assert [(c.ids, c.finish_reason) for c in found.completions] == [([], "cancelled")] * 4


def test_the_first_of_several_may_be_greedy(model: NativeEngine) -> None:
    prompt = random_ids(45, seed=6)
    model.prefill([*prompt, 1])
    greedy = model.generate(Request(prompt), changed(RANDOM, temperature=0.0, draft="none"))
    for samples in (1, 4):
        options = replace(RANDOM, samples=samples)
        found = model.generate(Request(prompt), replace(options, greedy_first=True))
        assert found.completions[0] == greedy.completions[0]
        assert drawn_ids(found)[1:] == drawn_ids(model.generate(Request(prompt), options))[1:]


def test_tokens_far_less_probable_than_the_likeliest_are_not_drawn(model: NativeEngine) -> None:
    prompt = random_ids(45, seed=8)
    model.prefill([*prompt, 1])
    options = replace(RANDOM, samples=4, temperature=5.0)
    (greedy,) = drawn_ids(
        model.generate(Request(prompt), changed(RANDOM, temperature=0.0, draft="none"))
    )
    assert drawn_ids(model.generate(Request(prompt), replace(options, min_p=1.0))) == [greedy] * 4
    some, all_of_them = (
        drawn_ids(model.generate(Request(prompt), replace(options, min_p=p))) for p in (0.7, 0.0)
    )
    assert [greedy] * 4 != some != all_of_them


def test_a_sample_that_goes_round_in_a_circle_may_be_ended(model: NativeEngine) -> None:
    """Noise repeats itself soon; the others are as they were."""
    prompt = random_ids(20, seed=0) * 3
    model.prefill([*prompt, 1])
    options = replace(RANDOM, samples=6, temperature=0.05, max_tokens=120)
    free = model.generate(Request(prompt), options)
    ended = model.generate(Request(prompt), replace(options, max_repeats=4))
    lengths = [len(one) for one in drawn_ids(ended)]
    assert min(lengths) < 120
    assert drawn_ids(ended) == [one[:n] for one, n in zip(drawn_ids(free), lengths, strict=True)]
    assert {c.finish_reason for c in ended.completions} == {"length"}
    with pytest.raises(UsageError, match="max_repeats is 1, it must be 0 or at least 2"):
        model.generate(Request(prompt), replace(options, max_repeats=1))


def test_as_many_samples_as_there_may_be(model: NativeEngine) -> None:
    options = replace(RANDOM, samples=64, max_tokens=3)
    assert len(model.generate(Request([1, 2, 3]), options).completions) == 64
    for samples in (0, 65, 10_000):
        with pytest.raises(UsageError, match=f"samples is {samples}, it must be between 1 and 64"):
            model.generate(Request([1, 2, 3]), replace(options, samples=samples))


def test_samples_of_a_prompt_that_fills_the_context(model: NativeEngine) -> None:
    prompt = random_ids(model.context_length - 2, seed=7)
    found = model.generate(Request(prompt), replace(RANDOM, samples=8))
    assert [(len(c.ids), c.finish_reason) for c in found.completions] == [(2, "length")] * 8
    forget(model)


def test_the_longest_prompt_may_have_the_most_samples(
    variants: Callable[[str], object],
) -> None:
    """Each has to have a copy of the page that the prompt ends in, and the one behind it."""
    small = engine(variants("qwen2"), cache_tokens=8 * PAGE)  # type: ignore[arg-type]
    small.tokenizer.end_tokens = frozenset()
    prompt = random_ids(small.context_length - PAGE - 1, seed=7)
    found = small.generate(Request(prompt), replace(RANDOM, samples=64, max_tokens=100))
    assert [len(c.ids) for c in found.completions] == [PAGE + 1] * 64


def test_all_samples_may_be_empty(model: NativeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    every = frozenset(range(model.tokenizer.vocab_size))
    monkeypatch.setattr(model.tokenizer, "end_tokens", every)
    found = model.generate(Request(random_ids(40, seed=8)), replace(RANDOM, samples=5))
    assert [(c.ids, c.finish_reason) for c in found.completions] == [([], "stop")] * 5
    forget(model)


def test_samples_of_the_real_model_do_not_depend_on_their_number(smollm2_path: object) -> None:
    model = NativeEngine.load(smollm2_path, threads=2)  # type: ignore[arg-type]
    prompt = model.tokenizer.encode("def area(width: int, height: int) -> int:\n    ")
    options = SamplingOptions(samples=16, max_tokens=16, temperature=0.8, seed=5)
    model.prefill([*prompt, 1])
    many = model.generate(Request(prompt), options)
    (one,) = model.generate(Request(prompt), replace(options, samples=1)).completions
    assert one == many.completions[0]
    assert len({c.text for c in many.completions}) > 4
