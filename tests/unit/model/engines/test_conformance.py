"""What every engine has to do, whatever runs its model: each implementation goes through here.

An engine joins with an entry in `engine_makers.MAKERS`.
"""

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from engine_makers import MAKERS, STEPS_ARE_ELSEWHERE
from engine_models import random_ids

from midline.model.engines.base import (
    MAX_SAMPLES,
    DrawnToken,
    Engine,
    EngineOptions,
    Generation,
    NativeOptions,
    Request,
    SamplingOptions,
)
from midline.model.errors import MidlineError, UsageError

GREEDY = SamplingOptions(max_tokens=12, engine=NativeOptions(exact=True))
RANDOM = SamplingOptions(max_tokens=12, temperature=1.0, seed=5)


@pytest.fixture(scope="module", params=MAKERS)
def subject(request: pytest.FixtureRequest, variants: Callable[[str], Path]) -> Iterator[Engine]:
    loaded = MAKERS[request.param](variants("qwen2"))
    yield loaded
    loaded.close()


def ids_of(generation: Generation) -> list[list[int]]:
    return [completion.ids for completion in generation.completions]


def data_of(subject: Engine, ids: list[int]) -> bytes:
    return b"".join(map(subject.tokenizer.token_bytes, ids))


def test_it_says_what_it_is(subject: Engine) -> None:
    assert isinstance(subject, Engine)
    assert subject.kind and subject.name
    assert subject.context_length > 100 and subject.load_ms >= 0
    assert subject.sparsity(GREEDY) == 0
    assert isinstance(subject.note, str) and isinstance(subject.load_details, str)
    subject.warm_up()


def test_a_completion_is_its_tokens_and_their_text(subject: Engine) -> None:
    prompt = random_ids(20, seed=1)
    found = subject.generate(Request(prompt), replace(GREEDY, max_tokens=5))
    (completion,) = found.completions
    assert len(completion.ids) == 5 and completion.finish_reason == "length"
    assert completion.text == subject.tokenizer.decode(completion.ids)
    assert found.prompt_tokens == 20 and 0 <= found.cached_tokens < 20
    if subject.capabilities.logprobs:
        assert len(completion.logprobs) == 5 and max(completion.logprobs) <= 0
        mean = sum(completion.logprobs) / 5
        assert completion.mean_logprob == pytest.approx(mean, abs=1e-6)


def test_every_token_is_reported_in_order(subject: Engine) -> None:
    heard: list[DrawnToken] = []
    requests = [Request(random_ids(9, seed=2)), Request(random_ids(7, seed=3))]
    found = subject.batch(requests, replace(RANDOM, samples=2), on_token=heard.append)
    for number, generation in enumerate(found):
        for sample, completion in enumerate(generation.completions):
            own = [t for t in heard if (t.prompt, t.sample) == (number, sample)]
            assert [token.id for token in own] == completion.ids
            if subject.capabilities.logprobs:
                assert [token.logprob for token in own] == completion.logprobs


def test_stop_is_asked_after_every_token_and_ends_its_sample(subject: Engine) -> None:
    asked: list[list[int]] = []

    def stop(sample: int, ids: list[int]) -> bool:
        asked.append(list(ids))
        return len(ids) == 3

    (completion,) = subject.generate(Request([5, 6], stop=stop), GREEDY).completions
    assert completion.finish_reason == "stop"
    assert asked == [completion.ids[: n + 1] for n in range(3)]


def test_every_sample_begins_with_the_bytes_to_align_with(subject: Engine) -> None:
    asked: list[bytes] = []

    def stop(sample: int, ids: list[int]) -> bool:
        asked.append(data_of(subject, ids))
        return False

    request = Request(random_ids(15, seed=4), b"return it", stop)
    found = subject.generate(request, replace(RANDOM, samples=3, max_tokens=20))
    assert len(found.completions) == 3
    for ids in ids_of(found):
        assert data_of(subject, ids).startswith(b"return it")
    assert asked and all(data.startswith(b"return it") for data in asked)


def test_a_batch_keeps_order_and_what_is_each_requests_own(subject: Engine) -> None:
    lengths = [3, 1, 4]
    requests = [
        Request(random_ids(5 + n, seed=n), stop=lambda _, ids, most=most: len(ids) == most, seed=n)
        for n, most in enumerate(lengths)
    ]
    done: dict[int, Generation] = {}
    found = subject.batch(requests, RANDOM, streams=2, on_done=lambda n, g: done.__setitem__(n, g))
    assert [len(ids_of(g)[0]) for g in found] == lengths
    assert [ids_of(done[n]) for n in range(3)] == [ids_of(g) for g in found]
    for number, request in enumerate(requests):
        assert ids_of(subject.generate(request, RANDOM)) == ids_of(found[number])
    assert subject.batch([], GREEDY) == []


def test_prefill_fills_the_cache_in_steps(subject: Engine) -> None:
    if not subject.capabilities.prefill:
        pytest.skip("it has no prefix cache")
    prompt = random_ids(100, seed=7)
    found = subject.prefill(prompt, step_tokens=32)
    assert (found.prompt_tokens, found.is_complete) == (100, True)
    assert found.cached_tokens + found.computed_tokens == 100
    assert subject.cached_tokens(prompt) == 99
    assert subject.cached_tokens([*prompt, 1]) == 100
    again = subject.prefill(prompt)
    assert (again.cached_tokens, again.computed_tokens) == (100, 0)
    assert subject.generate(Request([*prompt, 1]), GREEDY).cached_tokens == 100


def test_a_cancelled_prefill_keeps_the_steps_it_has_done(subject: Engine) -> None:
    if not subject.capabilities.prefill:
        pytest.skip("it has no prefix cache")
    prompt = random_ids(320, seed=8)

    class Soon:
        """Set from the third time on that it is looked at."""

        looks = 0

        def is_set(self) -> bool:
            self.looks += 1
            return self.looks > 2

    found = subject.prefill(prompt, cancel=Soon(), step_tokens=32)
    assert found.computed_tokens == 64 and not found.is_complete
    assert subject.cached_tokens(prompt) == 64
    rest = subject.prefill(prompt, step_tokens=32)
    assert (rest.cached_tokens, rest.computed_tokens) == (64, 256)


def test_a_cancelled_request_returns_what_it_has(subject: Engine) -> None:
    cancel = threading.Event()
    heard: list[DrawnToken] = []

    def hear(token: DrawnToken) -> None:
        heard.append(token)
        if len(heard) == 4:
            cancel.set()

    (completion,) = subject.generate(
        Request([5, 6, 7]), GREEDY, cancel=cancel, on_token=hear
    ).completions
    assert completion.finish_reason == "cancelled"
    assert completion.ids == [token.id for token in heard]


@pytest.mark.parametrize("options", [GREEDY, RANDOM], ids=["greedy", "random"])
@pytest.mark.parametrize("align", [b"", b"return it"], ids=["free", "aligned"])
def test_a_resumed_completion_goes_on_as_if_it_had_not_stopped(
    subject: Engine, options: SamplingOptions, align: bytes
) -> None:
    prompt = random_ids(40, seed=9)
    options = replace(options, max_tokens=18)
    # Prompts of more than a step are not computed to the bit alike in other steps.
    subject.prefill(prompt)
    whole = subject.generate(Request(prompt, align), options).completions[0]
    paused = Request(prompt, align, stop=lambda _, ids: len(ids) >= 10)
    first = subject.generate(paused, options).completions[0]
    assert 10 <= len(first.ids) < 18
    heard: list[DrawnToken] = []
    asked: list[int] = []

    def stop(sample: int, ids: list[int]) -> bool:
        asked.append(len(ids))
        return False

    again = Request(prompt, align, stop, resume=first)
    found = subject.generate(again, options, on_token=heard.append)
    (second,) = found.completions
    assert second.ids == whole.ids and second.finish_reason == whole.finish_reason
    assert second.logprobs == pytest.approx(whole.logprobs, nan_ok=True)
    assert second.mean_logprob == pytest.approx(whole.mean_logprob)
    assert [token.id for token in heard] == whole.ids[len(first.ids) :]
    assert asked == list(range(len(first.ids) + 1, 19))
    assert found.prompt_tokens == 40 + len(first.ids)
    if subject.capabilities.resume:
        assert found.cached_tokens >= found.prompt_tokens - len(first.ids)


def test_a_completion_that_is_long_enough_is_not_resumed(subject: Engine) -> None:
    first = subject.generate(Request([3, 4]), replace(GREEDY, max_tokens=5)).completions[0]
    shorter = replace(GREEDY, max_tokens=4)
    (same,) = subject.generate(Request([3, 4], resume=first), shorter).completions
    assert (same.ids, same.finish_reason) == (first.ids, "length")
    with pytest.raises(UsageError, match="resumed alone"):
        subject.generate(Request([3, 4], resume=first), replace(RANDOM, samples=2))


@dataclass(frozen=True, slots=True)
class OtherOptions(EngineOptions):
    """Of an engine that is none of those here."""


def test_options_of_other_engines_are_ignored(subject: Engine) -> None:
    plain = ids_of(subject.generate(Request([1, 2]), RANDOM))
    others = replace(RANDOM, engine=OtherOptions())
    assert ids_of(subject.generate(Request([1, 2]), others)) == plain


@pytest.mark.parametrize(
    ("name", "value"),
    [("samples", 0), ("samples", MAX_SAMPLES + 1), ("max_tokens", 0), ("temperature", -1.0)],
)
def test_options_out_of_range_are_named(subject: Engine, name: str, value: float) -> None:
    with pytest.raises(UsageError, match=rf"^{name} is {value}, it must be"):
        subject.generate(Request([1]), replace(GREEDY, **{name: value}))


def test_prompts_that_cannot_be_read_are_refused(subject: Engine) -> None:
    for call in (lambda p: subject.generate(Request(p), GREEDY), subject.prefill):
        with pytest.raises(MidlineError, match="the prompt is empty"):
            call([])
        with pytest.raises(MidlineError, match=r"has \d+ tokens and the context holds \d+"):
            call([1] * subject.context_length)


def test_the_context_ends_a_completion(subject: Engine) -> None:
    prompt = random_ids(subject.context_length - 3, seed=12, below=300)
    (completion,) = subject.generate(Request(prompt), GREEDY).completions
    assert completion.finish_reason == "length" and len(completion.ids) == 3


def test_the_text_of_a_prompt_can_be_had(subject: Engine) -> None:
    ids = subject.tokenizer.encode("größe = ")
    assert subject.prompt_bytes(Request(ids, b"ret")) == "größe = ret".encode()


class Breaks:
    """Counts the breaks, and generates `within` in the third."""

    def __init__(self, subject: Engine, step_tokens: int | None, within: Request) -> None:
        self.subject, self.step_tokens, self.within = subject, step_tokens, within
        self.count, self.found = 0, list[list[int]]()

    def __call__(self) -> None:
        self.count += 1
        if self.count == 3:
            self.subject.breaks = None
            self.found = ids_of(self.subject.generate(self.within, GREEDY))
            self.subject.breaks = self


@pytest.fixture
def in_breaks(subject: Engine) -> Iterator[Breaks]:
    """Breaks of an engine whose steps are its own, which have to be taken."""
    if subject.kind in STEPS_ARE_ELSEWHERE:
        pytest.skip("its steps are elsewhere, or it has none")
    subject.breaks = made = Breaks(subject, 32, Request(random_ids(30, seed=31)))
    yield made
    subject.breaks = None


def test_what_is_more_urgent_goes_first_between_two_tokens(
    subject: Engine, in_breaks: Breaks
) -> None:
    request = Request(random_ids(20, seed=30))
    subject.breaks = None
    alone = [ids_of(subject.generate(each, GREEDY)) for each in (request, in_breaks.within)]
    subject.breaks = in_breaks
    assert [ids_of(subject.generate(request, GREEDY)), in_breaks.found] == alone
    assert in_breaks.count == GREEDY.max_tokens


def test_what_is_more_urgent_goes_first_while_a_prompt_is_read(
    subject: Engine, in_breaks: Breaks
) -> None:
    assert subject.prefill(random_ids(128, seed=32)).is_complete
    assert in_breaks.count == 4 and in_breaks.found
    in_breaks.count = 0
    subject.generate(Request(random_ids(100, seed=33)), replace(GREEDY, max_tokens=1))
    assert in_breaks.count == 4


@pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)
def test_a_closed_engine_says_so(
    make: Callable[[Path], Engine], variants: Callable[[str], Path]
) -> None:
    subject = make(variants("qwen2"))
    subject.close()
    subject.close()
    for call in (
        lambda: subject.generate(Request([1]), GREEDY),
        lambda: subject.prefill([1]),
        lambda: subject.cached_tokens([1, 2]),
    ):
        with pytest.raises(MidlineError, match="is closed; load the model again"):
            call()


def test_requests_join_a_running_batch_and_write_what_they_write_alone(subject: Engine) -> None:
    own = [
        replace(GREEDY, max_tokens=9),
        replace(RANDOM, max_tokens=4, samples=2),
        replace(RANDOM, max_tokens=6, top_p=0.8, seed=3),
    ]
    requests = [Request(random_ids(6 + n, seed=20 + n), options=own[n]) for n in range(3)]
    waiting, heard = requests[1:], []

    def more() -> list[Request]:
        return [waiting.pop(0)] if waiting and len(heard) >= 3 else []

    def start() -> list[Generation]:
        return subject.batch(requests[:1], GREEDY, on_token=heard.append, more=more)

    if not subject.capabilities.joining:
        with pytest.raises(UsageError, match="decodes a batch as a whole"):
            start()
        return
    found = start()
    assert [len(generation.completions) for generation in found] == [1, 2, 1]
    assert {token.prompt for token in heard} == {0, 1, 2}
    for request, generation in zip(requests, found, strict=True):
        alone = subject.generate(Request(request.prompt), request.options or GREEDY)
        assert ids_of(generation) == ids_of(alone)


def test_a_request_is_cancelled_alone(subject: Engine) -> None:
    if not subject.capabilities.joining:
        pytest.skip("a batch is cancelled as a whole")
    cancel, heard = threading.Event(), []

    def hear(token: DrawnToken) -> None:
        heard.append(token)
        if sum(token.prompt == 0 for token in heard) == 3:
            cancel.set()

    requests = [Request([5, 6, 7], cancel=cancel), Request([8, 9])]
    first, second = subject.batch(requests, GREEDY, on_token=hear)
    assert first.completions[0].finish_reason == "cancelled"
    assert len(first.completions[0].ids) == 3
    assert len(second.completions[0].ids) == GREEDY.max_tokens
