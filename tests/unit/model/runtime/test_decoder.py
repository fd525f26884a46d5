"""The decoder against float64 NumPy, and its logits the same to the bit in whatever company."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from engine_models import (
    EXACT,
    FLOAT,
    all_logits,
    decoder,
    fill,
    pages_in_use,
    random_ids,
)
from float_transformer import reference_logits
from tiny_model import QWEN2, write_tiny_model

from midline import kernels
from midline.model.errors import MidlineError, ModelFileError
from midline.model.runtime.decoder import Cancelled, Decoder, StepOptions
from midline.model.runtime.kv_cache import PAGE, Sequence

FLOAT_MAX, FLOAT_RMS = 5e-4, 5e-5
"""Budgets of the debug path in units of the logits' deviation. What is left is float32 outside of
the products, and keys and values that round to the other float16 neighbour."""
INT8_MAX, INT8_RMS = 0.2, 0.03
"""Budgets with 8-bit activations: off by 1/254 of the largest of 32 or 256 channels a layer."""
TESTS = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def model(variant: Path) -> Decoder:
    return decoder(variant)


def deviations(found: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Largest and root mean square difference, in units of the truth's deviation."""
    assert found.dtype == np.float32 and found.shape == truth.shape
    difference = (found - truth) / truth.std()
    return float(np.abs(difference).max()), float(np.sqrt((difference**2).mean()))


def test_logits_against_float64(variant: Path, model: Decoder) -> None:
    ids = random_ids(75, seed=4)
    truth = reference_logits(variant, ids)
    largest, mean = deviations(all_logits(model, ids, options=FLOAT), truth)
    assert largest < FLOAT_MAX and mean < FLOAT_RMS
    for cuts in (None, ()):
        largest, mean = deviations(all_logits(model, ids, cuts), truth)
        assert largest < INT8_MAX and mean < INT8_RMS
    # The bounds are not vacuous: 8 bits show.
    assert mean > FLOAT_MAX


def test_attention_over_several_blocks_against_float64(variants: Callable[[str], Path]) -> None:
    ids = random_ids(530, seed=5)
    model = decoder(variants("three-heads"))
    found = all_logits(model, ids, options=FLOAT)
    # Angles of distant positions are float32, off by up to 2^-24 of some hundred radians.
    largest, mean = deviations(found, reference_logits(variants("three-heads"), ids))
    assert largest < 4 * FLOAT_MAX and mean < 4 * FLOAT_RMS


CUTS = {
    "one by one": range(1, 70),
    "pieces of 2": range(2, 100, 2),
    "odd pieces": (1, 4, 9, 40, 71, 72, 104, 135, 160, 190, 221, 253, 264, 296, 299),
    "pieces of 31": range(31, 330, 31),
    "pages": range(32, 330, 32),
    "pieces of 29": range(29, 330, 29),
    "around the block": (*range(25, 256, 23), 255, 256, 257, *range(280, 330, 25)),
}


@pytest.fixture(scope="module")
def whole(model: Decoder) -> np.ndarray:
    """Logits of 330 tokens."""
    return all_logits(model, random_ids(330, seed=1))


@pytest.mark.parametrize("cuts", CUTS)
def test_logits_do_not_depend_on_rows(model: Decoder, whole: np.ndarray, cuts: str) -> None:
    ids = random_ids(330, seed=1)
    ids = {"one by one": ids[:70], "pieces of 2": ids[:100]}.get(cuts, ids)
    np.testing.assert_array_equal(all_logits(model, ids, CUTS[cuts]), whole[: len(ids)])
    assert pages_in_use(model) == 0


def test_single_rows_deep_in_a_sequence(model: Decoder, whole: np.ndarray) -> None:
    """One row reads several blocks of keys: before, at and after their border."""
    ids = random_ids(330, seed=1)
    sequence = fill(model, Sequence(), ids[:250])
    for i in range(250, 270):
        found = model.forward([(sequence, [ids[i]])], options=EXACT)
        np.testing.assert_array_equal(found[0], whole[i])
    model.cache.finish(sequence, remember=False)


@pytest.mark.parametrize("threads", [1, 3, 8])
def test_logits_do_not_depend_on_threads(variant: Path, whole: np.ndarray, threads: int) -> None:
    """Eight threads are more than there are heads, units or cores."""
    many = decoder(variant, threads)
    ids = random_ids(330, seed=1)[: 330 if threads < 4 else 60]  # waiting for cores takes long
    cuts = [1, 2, *range(32, len(ids), 32)]
    np.testing.assert_array_equal(all_logits(many, ids, cuts), whole[: len(ids)])
    # A prompt of many rows depends on no thread either.
    sequence, other = Sequence(), Sequence()
    found = many.forward([(sequence, ids)], logits="all", options=EXACT)
    one = decoder(variant, 1)
    np.testing.assert_array_equal(found, one.forward([(other, ids)], logits="all", options=EXACT))


def test_logits_do_not_depend_on_the_batch(model: Decoder) -> None:
    """Strangers of many lengths together, several tokens each, against each alone."""
    lengths = (1, 31, 32, 33, 100, 255, 256, 257, 300)
    prompts = [random_ids(n + 5, seed=n) for n in lengths]
    alone = [all_logits(model, prompt)[-5:] for prompt in prompts]
    sequences = [fill(model, Sequence(), prompt[:-5]) for prompt in prompts]
    for start, end in ((-5, -4), (-4, -2), (-2, None)):
        batch = [
            (sequence, prompt[start:end])
            for sequence, prompt in zip(sequences, prompts, strict=True)
        ]
        found = model.forward(batch, logits="all", options=EXACT)
        width = len(batch[0][1])
        for i, wanted in enumerate(alone):
            np.testing.assert_array_equal(found[i * width : (i + 1) * width], wanted[start:end])
    for sequence in sequences:
        model.cache.finish(sequence, remember=False)
    assert pages_in_use(model) == 0


def test_seventy_sequences_do_not_depend_on_their_number(model: Decoder) -> None:
    """More streams than a step takes rows without folding weights."""
    first = fill(model, Sequence(), random_ids(50, seed=2))
    forks = [model.cache.fork(first) for _ in range(70)]
    found = model.forward([(fork, [i]) for i, fork in enumerate(forks)], options=EXACT)
    model.cache.finish(first, remember=False)
    for fork in forks:
        model.cache.finish(fork, remember=False)
    for i in (0, 31, 32, 69):
        alone = all_logits(model, [*random_ids(50, seed=2), i])
        np.testing.assert_array_equal(found[i], alone[-1])


@pytest.mark.parametrize("shared", [40, 255, 256, 300, 512, 520])
def test_logits_do_not_depend_on_shared_beginnings(model: Decoder, shared: int) -> None:
    """Twelve samples of one prompt, a stranger and a second family, all in one step."""
    prompt, other = random_ids(shared, seed=8), random_ids(270, seed=9)
    families = [prompt] * 6 + [other] * 2 + [random_ids(20, seed=10)] + [prompt] * 3
    firsts = {}
    for tokens in (prompt, other, families[8]):
        firsts[len(tokens)] = fill(model, Sequence(), tokens)
    sequences = [model.cache.fork(firsts[len(tokens)]) for tokens in families]
    tails = [random_ids(3, seed=100 + i) for i in range(len(families))]
    steps = [
        model.forward(
            [(sequence, [tail[n]]) for sequence, tail in zip(sequences, tails, strict=True)],
            options=EXACT,
        )
        for n in range(3)
    ]
    for sequence in [*sequences, *firsts.values()]:
        model.cache.finish(sequence, remember=False)
    assert pages_in_use(model) == 0
    for i in (0, 5, 6, 8, 11):
        alone = all_logits(model, families[i] + tails[i])[-3:]
        for n in range(3):
            np.testing.assert_array_equal(steps[n][i], alone[n])


def test_a_remembered_beginning_gives_the_same_bits(variant: Path) -> None:
    model = decoder(variant)
    ids = random_ids(400, seed=12)
    fresh = all_logits(model, ids)
    first = model.cache.start(ids[:300])
    assert not first.tokens
    model.cache.finish(fill(model, first, ids[:300]))
    for known, wanted in ((300, ids), (299, ids[:300]), (270, [*ids[:270], 5, 6, 7])):
        again = model.cache.start(wanted)
        assert len(again.tokens) == known
        found = model.forward([(again, wanted[known:][:30])], logits="all", options=EXACT)
        truth = fresh if wanted is ids else all_logits(model, wanted)
        np.testing.assert_array_equal(found, truth[known:][:30])
        model.cache.finish(again, remember=False)


def test_last_rows_and_no_rows(model: Decoder, whole: np.ndarray) -> None:
    ids = random_ids(330, seed=1)
    one, two = fill(model, Sequence(), ids[:310]), fill(model, Sequence(), ids[:290])
    last = model.forward([(one, ids[310:]), (two, ids[290:300])], options=EXACT)
    np.testing.assert_array_equal(last, whole[[329, 299]])
    none = model.forward([(one, [1]), (two, [2, 3])], logits="none")
    assert none.shape == (0, model.config.vocab)
    assert (len(one.tokens), len(two.tokens)) == (331, 302)
    for sequence in (one, two):
        model.cache.finish(sequence, remember=False)


def test_the_screen_finds_the_best_token_and_its_exact_logit(
    variants: Callable[[str], Path],
) -> None:
    """2-bit codes of random weights are as hard as it gets; the real models lose nothing."""
    model = decoder(variants("three-heads"))
    ids, same = random_ids(100, seed=6), 0
    wanted = all_logits(model, ids)
    sequence = Sequence()
    for id, exact in zip(ids, wanted, strict=True):
        screened = model.forward([(sequence, [id])], options=StepOptions())[0]
        best = int(screened.argmax())
        assert screened[best] == exact[best]
        same += best == int(exact.argmax())
        assert np.isfinite(screened).all()
        assert np.corrcoef(screened, exact)[0, 1] > 0.9
    assert same > 0.9 * len(ids)


def test_a_full_context_is_refused_and_nothing_changes(model: Decoder) -> None:
    sequence = Sequence()
    model.forward([(sequence, random_ids(model.context_length - 1))], logits="none")
    with pytest.raises(MidlineError, match=r"the context of \d+ tokens is full"):
        model.forward([(sequence, [1, 2])])
    assert len(sequence.tokens) == model.context_length - 1
    assert model.forward([(sequence, [1])]).shape == (1, model.config.vocab)
    model.cache.finish(sequence, remember=False)
    assert pages_in_use(model) == 0


def test_a_full_cache_is_refused_and_pages_come_back(variants: Callable[[str], Path]) -> None:
    model = decoder(variants("llama"), cache_tokens=8 * PAGE, tail_tokens=0)
    assert model.cache.pool.pages == 8
    one, two = Sequence(), Sequence()
    model.forward([(one, random_ids(5 * PAGE))], logits="none")
    with pytest.raises(MidlineError, match="the key-value cache is full"):
        model.forward([(one, [1]), (two, random_ids(3 * PAGE))])
    model.forward([(two, random_ids(2 * PAGE))])  # there is room for that much
    for sequence in (one, two):
        model.cache.finish(sequence, remember=False)
    assert pages_in_use(model) == 0


def test_a_cache_that_memory_has_no_room_for_is_refused(variants: Callable[[str], Path]) -> None:
    with pytest.raises(MidlineError, match="no memory for the keys and values of 1099511627776"):
        decoder(variants("llama"), cache_tokens=1 << 39, tail_tokens=1 << 39)


@pytest.fixture(scope="module")
def deep(tmp_path_factory: pytest.TempPathFactory) -> Decoder:
    """Twenty layers: a step of the most rows takes a while."""
    types = dict.fromkeys(QWEN2.types, QWEN2.types["attn_q"])
    folder = tmp_path_factory.mktemp("deep")
    path = write_tiny_model(folder / "deep.gguf", QWEN2, layers=20, context=2048, types=types)
    return decoder(path)


def test_a_step_is_cancelled_between_layers_from_another_thread(deep: Decoder) -> None:
    """Were the interpreter's lock held during the step, the flag could not be set in its middle."""
    ids = random_ids(1024)
    sequence, flag = Sequence(), kernels.CancelFlag()
    started = time.perf_counter()
    deep.forward([(sequence, ids)], logits="none", cancel=flag)
    whole = time.perf_counter() - started
    deep.cache.finish(sequence, remember=False)
    timer = threading.Timer(whole / 20, flag.set)
    timer.start()
    started = time.perf_counter()
    with pytest.raises(Cancelled):
        deep.forward([(sequence, ids)], logits="none", cancel=flag)
    assert time.perf_counter() - started < 0.6 * whole
    most = kernels.MAX_ROWS
    assert len(sequence.tokens) % most == 0 and len(sequence.tokens) < len(ids)
    # What was computed before stays usable, and the rest can be computed now.
    at = len(sequence.tokens)
    found = deep.forward([(sequence, ids[at : at + most])], logits="all", options=EXACT)
    deep.cache.finish(sequence, remember=False)
    assert pages_in_use(deep) == 0
    again = all_logits(deep, ids[: at + most], range(most, at + most, most))
    np.testing.assert_array_equal(found, again[at:])


def test_a_set_flag_or_event_stops_before_the_first_step(deep: Decoder) -> None:
    for cancel in (kernels.CancelFlag(), threading.Event()):
        cancel.set()
        sequence = Sequence()
        with pytest.raises(Cancelled):
            deep.forward([(sequence, [1, 2, 3])], cancel=cancel)
        assert sequence.tokens == []
    assert pages_in_use(deep) == 0


def test_room_made_by_a_cancelled_step_is_not_shared(deep: Decoder) -> None:
    """A fork taken after a cancelled step must not write into the pages of its origin."""
    ids = random_ids(100, seed=3)
    origin = Sequence()
    fill(deep, origin, ids[:40])
    deep.cache.extend(origin, 60)  # what a step does before it is cancelled
    fork = deep.cache.fork(origin)
    deep.forward([(fork, random_ids(60, seed=5))], logits="none")
    found = deep.forward([(origin, ids[40:70])], logits="all", options=EXACT)
    for sequence in (origin, fork):
        deep.cache.finish(sequence, remember=False)
    np.testing.assert_array_equal(found, all_logits(deep, ids[:70])[40:])
    assert pages_in_use(deep) == 0


BAD_RUNS = {
    "page beyond the pool": {"pages": [10**6]},
    "negative page": {"pages": [-1]},
    "too few pages": {"start": 30, "tokens": [1, 2, 3]},
    "negative start": {"start": -1},
    "token beyond the vocabulary": {"tokens": [10**6]},
    "negative token": {"tokens": [-1]},
    "no tokens": {"tokens": []},
    "too many tokens": {
        "tokens": [1] * (kernels.MAX_ROWS + 1),
        "pages": list(range(kernels.MAX_ROWS // PAGE + 1)),
    },
    "row beyond the step": {"rows": [1]},
    "negative row": {"rows": [-1]},
    "a row twice": {"tokens": [1, 2], "rows": [0, 0]},
    "more rows than logits": {"tokens": [1, 2, 3], "rows": [0, 1, 2]},
    "logits of another vocabulary": {"vocab": 5},
}


@pytest.fixture(scope="module")
def plain(variants: Callable[[str], Path]) -> Decoder:
    return decoder(variants("llama"))


@pytest.mark.parametrize("name", BAD_RUNS)
def test_a_bad_native_step_is_refused(plain: Decoder, name: str) -> None:
    model = plain
    call = {"pages": [0], "start": 0, "tokens": [1], "rows": [0], "vocab": model.config.vocab}
    call |= BAD_RUNS[name]
    pages = np.array(call["pages"], np.int32)
    segments = [(call["start"], len(call["tokens"]), pages)]
    logits = np.empty((2, call["vocab"]), np.float32)
    ids = np.array(call["tokens"], np.int32)
    with pytest.raises(ValueError, match=r"\w"):
        model._native.run(model.cache.pool.data, ids, segments, call["rows"], logits, True)


def test_tensors_that_are_missing_or_misshapen_are_named(tmp_path: Path) -> None:
    for changes, culprit in (
        ({"layers": 2, "extra": {"qwen2.block_count": 3}}, "blk.2.attn_q.weight"),
        ({"extra": {"qwen2.feed_forward_length": 512}}, "blk.0.ffn_gate.weight"),
        ({"extra": {"qwen2.embedding_length": 512, "qwen2.attention.key_length": 64}}, "attn_q"),
        ({"extra": {"qwen2.attention.head_count_kv": 4}}, "blk.0.attn_k.weight"),
    ):
        path = write_tiny_model(tmp_path / "wrong.gguf", QWEN2, **changes)
        with pytest.raises(ModelFileError, match=culprit):
            decoder(path)
        assert not list(tmp_path.glob("packed/*.packed"))


CODE = """
import sys
sys.path.insert(0, sys.argv[1])
from pathlib import Path
import numpy as np
from engine_models import FLOAT, all_logits, random_ids, decoder, write_variant
from float_transformer import reference_logits
ids = random_ids(70, seed=4)
for name in ("llama", "k-quants"):
    path = write_variant(Path(sys.argv[2]), name)
    model = decoder(path)
    truth = reference_logits(path, ids[:40])
    exact = all_logits(model, ids)
    np.testing.assert_array_equal(all_logits(model, ids, (1, 2, 3, 9, 40)), exact)
    errors = [all_logits(model, ids[:40], options=FLOAT) - truth, exact[:40] - truth]
    print(*(f"{np.sqrt((e**2).mean()) / truth.std():.9f}" for e in errors))
"""


@pytest.mark.parametrize("name", ["scalar", "avx2", "avx512", "neon", "neoni8mm"])
def test_every_set_of_kernels_decodes_alike(
    name: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("kernels")
    run = subprocess.run(
        [sys.executable, "-P", "-c", CODE, str(TESTS), str(folder)],
        env={**os.environ, "MIDLINE_KERNELS": name},
        capture_output=True,
        text=True,
        timeout=240,
    )
    if "does not run on this CPU" in run.stderr:
        pytest.skip(f"this CPU does not run {name}")
    assert run.returncode == 0, run.stderr
    for line in run.stdout.splitlines():
        floating, rounded = map(float, line.split())
        assert floating < FLOAT_RMS and rounded < INT8_RMS
