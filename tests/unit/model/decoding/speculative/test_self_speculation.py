"""Self-drafting: what sparse steps guess changes no bit, and leaves nothing in the cache."""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from engine_models import changed, engine, fill, pages_in_use, random_ids

from midline import kernels
from midline.kernels import CancelFlag
from midline.model.decoding.batch import Batch
from midline.model.decoding.continuous_batching import Decoding
from midline.model.decoding.speculative.prompt_lookup import LookupDrafter, PassCosts
from midline.model.decoding.speculative.self_speculation import LookupFirst, SelfDrafter
from midline.model.engines.base import Generation, NativeOptions, Request, SamplingOptions
from midline.model.engines.native.engine import NativeEngine
from midline.model.errors import UsageError
from midline.model.runtime.decoder import Cancelled, StepOptions
from midline.model.runtime.kv_cache import NEVER, PAGE, CacheFull
from midline.model.runtime.kv_cache import Sequence as Cached
from midline.model.teal.profile import CalibrationText, Profile, write_profile
from midline.model.weights.packed import model_hash

PLAIN = SamplingOptions(max_tokens=40, engine=NativeOptions(exact=True, draft="none"))
CHEAP = PassCosts(base=1.0, row=0.05, draft=0.5)
DEAR = PassCosts(base=2.2, row=0.28, draft=0.9)
FREE = PassCosts(base=1.0, row=0.0, draft=0.0)
"""As many guesses as may be, however doubtful."""
MILD, WILD = 1e-3, 0.7
"""Thresholds: nearly all guesses are right, or many are wrong."""


def profile(model: NativeEngine, threshold: float) -> Profile:
    """One threshold everywhere."""
    rows = ((threshold,) * 4,) * model.config.layers
    text = CalibrationText("noise", "", 0)
    return Profile("x", model_hash(model.path), 0.5, "magnitude", "uniform", rows, text)


def endless(path: Path) -> NativeEngine:
    """An engine whose answers have all their tokens: noise ends now and then."""
    loaded = engine(path, threads=1)
    loaded.tokenizer.end_tokens = frozenset()
    return loaded


def drafter(model: NativeEngine, threshold: float, costs: PassCosts = CHEAP, **more) -> SelfDrafter:
    thresholds = model.decoder.thresholds(profile(model, threshold))
    return SelfDrafter(model.decoder, thresholds, costs, **more)


def read(model: NativeEngine, prompt: list[int]) -> list[int]:
    """The prompt, known from now on: rows of a long one depend on how many are computed at once."""
    model.prefill([*prompt, 1])
    return prompt


def drafted(
    model: NativeEngine,
    prompt: list[int],
    by: SelfDrafter,
    options: SamplingOptions = PLAIN,
    **more,
) -> Generation:
    hooks = {name: more.pop(name) for name in ("cancel", "on_token") if name in more}
    batch = Batch([Request(prompt, stop=more.pop("stop", None))], **hooks)
    parts = (model.decoder, model.tokenizer, options, batch)
    return Decoding(*parts, drafter=by, **more).run()[0]


@pytest.fixture(scope="module")
def model(variant: Path) -> Iterator[NativeEngine]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MIDLINE_HOME", str(variant.parent))
        yield endless(variant)


@pytest.fixture
def qwen2(variants: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch) -> NativeEngine:
    path = variants("qwen2")
    monkeypatch.setenv("MIDLINE_HOME", str(path.parent))
    return endless(path)


@pytest.mark.parametrize("threshold", [MILD, WILD])
def test_drafts_change_no_bit_and_leave_nothing(model: NativeEngine, threshold: float) -> None:
    accepted = rejected = 0
    for length in (3, 31, 70):
        prompt = read(model, random_ids(length, seed=length))
        plain = model.generate(Request(prompt), PLAIN)
        truth = [*prompt, *plain.completions[0].ids]
        known = model.cached_tokens([*truth, 1])
        found = drafted(model, prompt, drafter(model, threshold, least_gain=0))
        assert found.completions == plain.completions
        assert model.cached_tokens([*truth, 1]) == known == len(truth) - 1
        assert found.passes <= plain.passes == len(truth) - length - 1
        accepted += found.accepted_tokens
        rejected += found.drafted_tokens - found.accepted_tokens
    assert accepted > 0 and (rejected > 0 or threshold == MILD)
    assert set(model.decoder.cache.pool.references) <= {0, 1}


def test_what_is_remembered_was_computed_densely(qwen2: NativeEngine) -> None:
    """A request that begins with the output of a drafted one goes on as if it were computed."""
    prompt = read(qwen2, random_ids(30, seed=1))
    found = drafted(qwen2, prompt, drafter(qwen2, WILD, least_gain=0))
    longer = [*prompt, *found.completions[0].ids, *random_ids(5)]
    cached = qwen2.generate(Request(longer), PLAIN)
    assert cached.cached_tokens == 69
    fresh = endless(qwen2.path)
    sequence = fill(fresh.decoder, Cached(), longer[:-1])
    fresh.decoder.cache.finish(sequence)
    assert cached.completions == fresh.generate(Request(longer), PLAIN).completions


def test_a_proposal_leaves_the_sequence_as_it_was(qwen2: NativeEngine) -> None:
    """Shared pages too: what others have computed is not written over."""
    ids, cache = random_ids(50, seed=2), qwen2.decoder.cache
    sequence = fill(qwen2.decoder, Cached(), ids[:-1])
    other = cache.fork(sequence)
    before = pages_in_use(qwen2.decoder)
    guess = drafter(qwen2, WILD, least_gain=0).propose(ids, 20, sequence)
    assert 0 < len(guess) <= 20
    assert sequence.tokens == ids[:-1] and sequence.sparse_from == NEVER
    assert pages_in_use(qwen2.decoder) <= before + 1  # its own copy of the last page
    again = fill(qwen2.decoder, Cached(), ids[:-1])
    logits = [
        qwen2.decoder.forward([(one, ids[-1:])], options=StepOptions(exact=True))
        for one in (sequence, other, again)
    ]
    assert (logits[0] == logits[2]).all() and (logits[1] == logits[2]).all()
    for one in (sequence, other, again):
        qwen2.release(one)


def test_the_draft_is_what_sparse_decoding_writes(qwen2: NativeEngine) -> None:
    ids = random_ids(33, seed=3)
    sequence = fill(qwen2.decoder, Cached(sparse_from=32), ids[:-1])
    guess = drafter(qwen2, WILD, least_gain=0).propose(ids, 6, sequence)
    options = StepOptions(thresholds=qwen2.decoder.thresholds(profile(qwen2, WILD)))
    token = ids[-1]
    for wanted in guess:
        token = int(qwen2.decoder.forward([(sequence, [token])], options=options).argmax())
        assert token == wanted
    assert guess
    qwen2.release(sequence)


def test_nothing_is_drafted_that_does_not_pay(qwen2: NativeEngine) -> None:
    prompt = read(qwen2, random_ids(20, seed=4))
    assert drafted(qwen2, prompt, drafter(qwen2, MILD, DEAR)).drafted_tokens == 0
    assert drafted(qwen2, prompt, drafter(qwen2, MILD, CHEAP)).drafted_tokens > 0
    assert drafted(qwen2, prompt, drafter(qwen2, MILD, DEAR, least_gain=0)).drafted_tokens > 0


def test_wrong_guesses_end_drafting_for_a_while(qwen2: NativeEngine) -> None:
    """Nothing of what is guessed is ever right: tried rarely, and again only later."""
    ids = random_ids(40, seed=5)
    sequence = fill(qwen2.decoder, Cached(), ids[:-1])
    own, asked = drafter(qwen2, WILD), []
    for _ in range(120):
        draft = own.propose(ids, 8, sequence)
        asked.append(bool(draft))
        if draft:
            own.accepted(0)
    first = asked.index(False)
    assert asked[0] and 1 <= first < 20
    assert 0 < sum(asked[first:]) < 30
    qwen2.release(sequence)


def test_a_guess_in_doubt_ends_the_draft(qwen2: NativeEngine) -> None:
    """Noise is never sure of itself: drafts are short, and longer once it has been right."""
    ids = random_ids(40, seed=6)
    sequence = fill(qwen2.decoder, Cached(), ids[:-1])
    own = drafter(qwen2, MILD)
    short = own.propose(ids, 20, sequence)
    for _ in range(60):
        own.accepted(len(own.propose(ids, 20, sequence)))
    long = own.propose(ids, 20, sequence)
    assert 0 < len(short) < len(long) and long[: len(short)] == short
    qwen2.release(sequence)


def test_nothing_is_drafted_behind_an_end(qwen2: NativeEngine) -> None:
    ids = random_ids(40, seed=6)
    sequence = fill(qwen2.decoder, Cached(), ids[:-1])
    free = drafter(qwen2, MILD, FREE).propose(ids, 12, sequence)
    end = free[7]
    ended = drafter(qwen2, MILD, FREE, end_tokens=frozenset({end}))
    assert len(free) == 12
    assert ended.propose(ids, 12, sequence) == free[: free.index(end)]
    qwen2.release(sequence)


class CancelledLater:
    """Set when it has been asked `count` times."""

    def __init__(self, count: int) -> None:
        self.left = count

    def is_set(self) -> bool:
        self.left -= 1
        return self.left < 0


def test_a_request_cancelled_in_a_draft_keeps_what_was_drawn(qwen2: NativeEngine) -> None:
    prompt = read(qwen2, random_ids(28, seed=7))
    truth = [*prompt, *qwen2.generate(Request(prompt), PLAIN).completions[0].ids]
    for count in range(1, 30, 3):
        cancel = CancelledLater(count)  # only the drafter's: it is cancelled in a draft
        other = endless(qwen2.path)
        read(other, prompt)
        by = drafter(other, MILD, FREE, cancel=cancel)
        (completion,) = drafted(other, prompt, by).completions
        assert completion.finish_reason == "cancelled" and cancel.left < 0
        ids = completion.ids
        assert ids == truth[28 : 28 + len(ids)] and 0 < len(ids) < 40
        assert other.cached_tokens([*truth, 1]) == 28 + len(ids) - 1
        assert set(other.decoder.cache.pool.references) <= {0, 1}
    flag = CancelFlag()
    flag.set()
    sequence = fill(qwen2.decoder, Cached(), prompt)
    with pytest.raises(Cancelled):
        drafter(qwen2, MILD, cancel=flag).propose([*prompt, 1], 5, sequence)
    assert sequence.tokens == prompt and sequence.sparse_from == NEVER
    qwen2.release(sequence)


def test_a_full_cache_shortens_the_draft(qwen2: NativeEngine) -> None:
    """The last page has room for two sparse steps, and none is left behind it."""
    cache, held = qwen2.decoder.cache, qwen2.new_sequence()
    ids = random_ids(PAGE - 1, seed=8)
    sequence = fill(qwen2.decoder, Cached(), ids[:-1])
    with contextlib.suppress(CacheFull):
        while True:
            cache.extend(held, (len(held.pages) + 1) * PAGE)
    guess = drafter(qwen2, MILD, FREE).propose(ids, 20, sequence)
    assert len(guess) == 2 and sequence.tokens == ids[:-1]
    qwen2.release(held)
    qwen2.release(sequence)


def test_outputs_that_are_no_numbers_end_the_draft(
    qwen2: NativeEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = random_ids(20, seed=9)
    sequence = fill(qwen2.decoder, Cached(), ids[:-1])
    monkeypatch.setattr(kernels, "log_sum_exp", lambda row: float("nan"))
    assert drafter(qwen2, MILD, least_gain=0).propose(ids, 9, sequence) == []
    qwen2.release(sequence)


class Recorder(LookupDrafter):
    """A lookup that guesses when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.guess: list[int] = []
        self.heard: list[int] = []

    def propose(
        self, tokens: Sequence[int], most: int, sequence: Cached | None = None
    ) -> list[int]:
        super().propose(tokens, most)
        return self.guess

    def accepted(self, count: int) -> None:
        self.heard.append(count)


def test_lookup_comes_first(qwen2: NativeEngine) -> None:
    ids = random_ids(40, seed=10)
    sequence = fill(qwen2.decoder, Cached(), ids[:-1])
    lookup, own = Recorder(), drafter(qwen2, MILD)
    both = LookupFirst(lookup, own)
    lookup.guess = [1, 2, 3]
    assert both.propose(ids, 8, sequence) == [1, 2, 3]
    both.accepted(2)
    lookup.guess = []
    assert both.propose(ids, 8, sequence) == own.propose(ids, 8, sequence) != []
    both.accepted(1)
    assert lookup.heard == [2]
    qwen2.release(sequence)


def test_who_drafts_is_said_in_the_options(
    qwen2: NativeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIDLINE_HOME", str(tmp_path))
    prompt = read(qwen2, [7, 8, 9, 10] * 10)
    asked = replace(PLAIN, max_tokens=60)
    with pytest.raises(UsageError, match=r"no profile for --sparsity 0\.5"):
        qwen2.generate(Request(prompt), changed(asked, draft="self"))
    write_profile(profile(qwen2, MILD), tmp_path / "profiles")
    plain = qwen2.generate(Request(prompt), asked)
    qwen2.policy = replace(qwen2.policy, costs=DEAR)
    found = {
        draft: qwen2.generate(Request(prompt), changed(asked, draft=draft))
        for draft in ("self", "both", "lookup", None)
    }
    assert all(g.completions == plain.completions for g in found.values())
    assert found["self"].drafted_tokens > 0 == plain.drafted_tokens
    counts = {draft: g.drafted_tokens for draft, g in found.items()}
    assert counts["both"] == counts["lookup"] == counts[None]
    qwen2.policy = replace(qwen2.policy, costs=CHEAP, draft="both")
    own = qwen2.generate(Request(random_ids(30, seed=11)), changed(asked, draft=None, max_tokens=9))
    assert own.drafted_tokens > 0  # of a text that has nothing twice
    for changes in ({"samples": 2}, {"temperature": 0.5}):
        assert (
            qwen2.generate(Request(prompt), changed(asked, draft="self", **changes)).drafted_tokens
            == 0
        )
    sparse = changed(asked, draft="self", sparsity=0.5)
    assert qwen2.generate(Request(prompt), sparse).drafted_tokens == 0


@pytest.mark.parametrize("exact", [True, False])
def test_a_real_model_writes_the_same(smollm2_path: Path, exact: bool) -> None:
    """SmolLM2 with its own profile, on text that is nowhere repeated."""
    model = NativeEngine.load(smollm2_path, threads=1)
    drafts = 0
    for text in (
        "def fibonacci(n: int) -> int:\n",
        "import os\n\ndef files(folder):\n    for",
        "# Sorting\n\nTo sort a list of numbers,",
        "class Stack:\n    def __init__(self):\n",
    ):
        prompt = read(model, model.tokenizer.encode(text))
        options = SamplingOptions(max_tokens=30, engine=NativeOptions(exact=exact))
        found = model.generate(Request(prompt), changed(options, draft="self"))
        plain = model.generate(Request(prompt), changed(options, draft="none"))
        assert found.completions[0].ids == plain.completions[0].ids
        drafts += found.accepted_tokens
    assert drafts > 20
