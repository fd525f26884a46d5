"""Verified drafts: whatever is guessed, the output is that of drawing one token at a time."""

import contextlib
import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from engine_models import changed, engine, random_ids, requests

from midline.kernels import CancelFlag
from midline.model.decoding.batch import Batch
from midline.model.decoding.continuous_batching import Decoding
from midline.model.decoding.speculative.prompt_lookup import Drafter
from midline.model.engines.base import (
    DrawnToken,
    Generation,
    NativeOptions,
    Request,
    SamplingOptions,
)
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.runtime.kv_cache import PAGE, CacheFull
from midline.model.runtime.kv_cache import Sequence as Cached

PLAIN = SamplingOptions(max_tokens=40, engine=NativeOptions(exact=True, draft="none"))
DRAFTED = changed(PLAIN, draft="lookup")


class Guesses:
    """Guesses `right` tokens that will be drawn and then, if `right` varies, one that will not."""

    def __init__(self, truth: list[int], right: Callable[[], int], lies: bool) -> None:
        self.truth, self.right, self.lies = truth, right, lies
        self.heard: list[int] = []

    def propose(
        self, tokens: Sequence[int], most: int, sequence: Cached | None = None
    ) -> list[int]:
        guess = self.truth[len(tokens) : len(tokens) + self.right()]
        if self.lies and len(tokens) + len(guess) < len(self.truth):
            wrong = (self.truth[len(tokens) + len(guess)] + 1) % 380
            guess = [*guess, wrong, *guess]
        return guess[:most]

    def accepted(self, count: int) -> None:
        self.heard.append(count)


def read(model: NativeEngine, prompt: list[int]) -> list[int]:
    """The prompt, known from now on: rows of a long one depend on how many are computed at once."""
    model.prefill([*prompt, 1])
    return prompt


@pytest.fixture(scope="module")
def model(variant: Path) -> NativeEngine:
    loaded = engine(variant, threads=1)
    loaded.tokenizer.end_tokens = frozenset()  # noise ends now and then
    return loaded


@pytest.fixture(scope="module")
def qwen2(variants: Callable[[str], Path]) -> NativeEngine:
    loaded = engine(variants("qwen2"), threads=1)
    loaded.tokenizer.end_tokens = frozenset()
    return loaded


def drafted(
    model: NativeEngine,
    prompt: list[int],
    drafter: Drafter,
    options: SamplingOptions = PLAIN,
    **more,
) -> Generation:
    """A request whose tokens `drafter` guesses; all of `more` as `Decoding` takes it."""
    hooks = {name: more.pop(name) for name in ("cancel", "on_token") if name in more}
    batch = Batch([Request(prompt, stop=more.pop("stop", None))], **hooks)
    parts = (model.decoder, model.tokenizer, options, batch)
    return Decoding(*parts, drafter=drafter, **more).run()[0]


def same(one: Generation, other: Generation) -> bool:
    """Ids, log-probabilities and how they ended, to the bit."""
    return one.completions == other.completions


@pytest.mark.parametrize("lies", [False, True])
def test_drafts_change_no_bit(model: NativeEngine, lies: bool) -> None:
    rejected = 0
    for length in (3, 31, 70):
        prompt = read(model, random_ids(length, seed=length))
        plain = model.generate(Request(prompt), PLAIN)
        truth, rng = [*prompt, *plain.completions[0].ids], random.Random(length)
        for right in (lambda: 1, lambda: 31, lambda rng=rng: rng.randrange(0, 9)):
            guesses = Guesses(truth, right, lies)
            known = model.cached_tokens([*truth, 1])
            found = drafted(model, prompt, guesses)
            assert same(found, plain)
            assert found.drafted_tokens >= found.accepted_tokens == sum(guesses.heard) > 0
            rejected += found.drafted_tokens - found.accepted_tokens
            assert model.cached_tokens([*truth, 1]) == known == len(truth) - 1
    assert (rejected > 0) == lies
    assert set(model.decoder.cache.pool.references) <= {0, 1}


def test_lookup_drafts_change_no_bit(model: NativeEngine) -> None:
    """Noise repeats itself soon, and is guessed then."""
    drafts = 0
    for seed in range(4):
        prompt = read(model, random_ids(20, seed=seed) * 3)
        plain = model.generate(Request(prompt), replace(PLAIN, max_tokens=120))
        found = model.generate(Request(prompt), replace(DRAFTED, max_tokens=120))
        assert same(found, plain) and plain.drafted_tokens == 0
        drafts += found.drafted_tokens
    assert drafts > 0


@pytest.mark.parametrize("temperature", [0.0, 0.8])
def test_earlier_answers_are_drafts_that_change_no_bit(
    model: NativeEngine, temperature: float
) -> None:
    """Samples, too; and texts that have little to do with the answer."""
    options = replace(DRAFTED, max_tokens=60, temperature=temperature, seed=3)
    prompt = read(model, random_ids(30, seed=7))
    plain = model.generate(Request(prompt), replace(options, engine=PLAIN.engine))
    ids = plain.completions[0].ids
    other = [*ids[:20], *random_ids(20, seed=8), *ids[25:]]
    for drafts in ([[*prompt, *ids]], [random_ids(50, seed=9), [*prompt, *other]]):
        found = model.generate(Request(prompt, drafts=drafts), options)
        assert same(found, plain)
        assert found.accepted_tokens > 0
        assert found.passes < plain.passes


def test_what_is_heard_and_asked_is_the_same(qwen2: NativeEngine) -> None:
    prompt = random_ids(25, seed=2)
    truth = [*prompt, *qwen2.generate(Request(prompt), PLAIN).completions[0].ids]
    for last in range(1, 12):
        told: list[list] = []
        for guess in (False, True):
            asked, heard = [], []

            def stop(_: int, ids: list[int], asked: list = asked, last: int = last) -> bool:
                asked.append(list(ids))
                return len(ids) == last

            hooks = {"stop": stop, "on_token": lambda drawn, heard=heard: heard.append(drawn.id)}
            if guess:
                found = drafted(qwen2, prompt, Guesses(truth, lambda: 7, True), **hooks)
            else:
                stop = hooks.pop("stop")
                found = qwen2.generate(Request(prompt, stop=stop), PLAIN, **hooks)
            told.append([asked, heard, found.completions])
        assert told[0] == told[1] and told[0][2][0].finish_reason == "stop"
        assert qwen2.decoder.cache.known([*truth, 1]) == len(truth) - 1  # of the first request


def test_tokens_behind_the_end_are_dropped(
    qwen2: NativeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = random_ids(22, seed=3)
    truth = [*prompt, *qwen2.generate(Request(prompt), PLAIN).completions[0].ids]
    for end in {truth[len(prompt) + n] for n in (1, 4, 9)}:
        monkeypatch.setattr(qwen2.tokenizer, "end_tokens", frozenset({end}))
        plain = qwen2.generate(Request(prompt), PLAIN)
        found = drafted(qwen2, prompt, Guesses(truth, lambda: 12, False))
        assert same(found, plain) and plain.completions[0].finish_reason == "stop"
        assert end not in found.completions[0].ids


def test_the_context_and_the_limit_end_a_draft(qwen2: NativeEngine) -> None:
    for room in (2, 3, 9, 33):
        prompt = read(qwen2, random_ids(qwen2.context_length - room, seed=room))
        options = replace(PLAIN, max_tokens=50)
        plain = qwen2.generate(Request(prompt), options)
        truth = [*prompt, *plain.completions[0].ids, 1, 1, 1]
        assert same(drafted(qwen2, prompt, Guesses(truth, lambda: 31, False), options), plain)
    prompt = random_ids(30, seed=9)
    truth = [*prompt, *qwen2.generate(Request(prompt), PLAIN).completions[0].ids]
    for most in range(1, 12):
        options = replace(PLAIN, max_tokens=most)
        found = drafted(qwen2, prompt, Guesses(truth, lambda: 5, False), options)
        assert found.completions[0].ids == truth[30 : 30 + most]


def test_a_cache_without_room_for_drafts_still_serves(qwen2: NativeEngine) -> None:
    """All pages are taken when the first token is drawn, and a draft would need one more."""
    prompt, cache = read(qwen2, random_ids(86, seed=4)), qwen2.decoder.cache
    hooks = {"stop": lambda _, ids: len(ids) == 6}
    plain = qwen2.generate(Request(prompt, **hooks), PLAIN)
    truth = [*prompt, *plain.completions[0].ids, *random_ids(30)]
    held = qwen2.new_sequence()

    def take_all(drawn: DrawnToken) -> None:
        with contextlib.suppress(CacheFull):
            while True:
                cache.extend(held, (len(held.pages) + 1) * PAGE)

    guesses = Guesses(truth, lambda: 20, False)
    found = drafted(qwen2, prompt, guesses, on_token=take_all, **hooks)
    assert same(found, plain) and len(held.pages) > 0
    assert found.drafted_tokens == 0 and guesses.heard == []
    qwen2.release(held)


def test_a_cancelled_draft_keeps_what_was_drawn(qwen2: NativeEngine) -> None:
    prompt = random_ids(28, seed=6)
    truth = [*prompt, *qwen2.generate(Request(prompt), PLAIN).completions[0].ids]
    cancel, heard = CancelFlag(), []

    def hear(drawn: DrawnToken) -> None:
        heard.append(drawn.id)
        if len(heard) == 5:
            cancel.set()

    found = drafted(qwen2, prompt, Guesses(truth, lambda: 20, False), cancel=cancel, on_token=hear)
    (completion,) = found.completions
    assert completion.finish_reason == "cancelled"
    assert completion.ids == heard == truth[28:33]
    assert qwen2.decoder.cache.known([*prompt, *heard, 1]) >= 28 + 4


def test_nothing_is_drafted_in_company_at_random_or_unasked(qwen2: NativeEngine) -> None:
    prompt = [7, 8, 9, 10] * 10
    asked = replace(DRAFTED, max_tokens=60)
    for options in (
        replace(asked, samples=2),
        replace(asked, temperature=0.5),
        changed(asked, draft="none"),
    ):
        assert qwen2.generate(Request(prompt), options).drafted_tokens == 0
    assert all(g.drafted_tokens == 0 for g in qwen2.batch(requests([prompt, prompt]), asked))
    with pytest.raises(UsageError, match="draft is luck, it must be lookup, self, both or none"):
        qwen2.generate(Request(prompt), changed(asked, draft="luck"))  # type: ignore[arg-type]


def test_given_back_bytes_come_before_drafts(qwen2: NativeEngine) -> None:
    text = read(qwen2, qwen2.tokenizer.encode("return self\n") * 6)
    options = replace(DRAFTED, max_tokens=60)
    for align in (b"ret", b"    return se", "gr\xf6\xdfe".encode()[:4]):
        plain = qwen2.generate(Request(text, align=align), changed(options, draft="none"))
        assert same(qwen2.generate(Request(text, align=align), options), plain)


def test_given_back_tokens_do_not_count_as_drawn(qwen2: NativeEngine) -> None:
    """The mean is over the tokens that write something new."""
    prompt, align = random_ids(20, seed=7), b"return "
    (found,) = qwen2.generate(Request(prompt, align=align), PLAIN).completions
    forced, covered = 0, len(qwen2.tokenizer.token_bytes(found.ids[0]))
    while covered <= len(align):
        forced += 1
        covered += len(qwen2.tokenizer.token_bytes(found.ids[forced]))
    assert forced > 0
    kept = [*prompt, *found.ids[:forced]]
    options = replace(PLAIN, max_tokens=len(found.ids) - forced)
    (rest,) = qwen2.generate(Request(kept), options).completions
    if rest.ids == found.ids[forced:]:  # the first of them was not held to the bytes
        assert found.mean_logprob == pytest.approx(rest.mean_logprob, abs=1e-6)
    (all_forced,) = qwen2.generate(
        Request(prompt, align=align), replace(PLAIN, max_tokens=1)
    ).completions
    assert (all_forced.mean_logprob == 0) == (forced > 0)


@pytest.mark.parametrize(
    ("name", "exact"), [("smollm2_path", True), ("qwen05_path", True), ("qwen05_path", False)]
)
def test_real_models_write_the_same(name: str, exact: bool, request: pytest.FixtureRequest) -> None:
    """Code with a copy of itself behind it; screened too, where the screen misses nothing."""
    model = NativeEngine.load(request.getfixturevalue(name), threads=1)
    code = "def area(width: int, height: int) -> int:\n    return width * height\n\n\n"
    copy = code.replace("area", "rim").replace(" * ", " + ")
    prompt = read(model, model.tokenizer.encode(code + copy + code.replace("area", "size")[:20]))
    options = SamplingOptions(max_tokens=40, engine=NativeOptions(exact=exact))
    found = model.generate(Request(prompt), options)
    plain = model.generate(Request(prompt), changed(options, draft="none"))
    assert found.completions[0].ids == plain.completions[0].ids
    assert found.accepted_tokens > 0
