"""The llama.cpp adapter: its caches hold what the measurements say they hold."""

import numpy as np
import pytest

pytest.importorskip("llama_cpp", reason="the peer is not installed")

from midline.benchmarks.speed.engines.llama_cpp import LlamaContext, LlamaCpp, LlamaModel, Variant
from midline.model.errors import MidlineError

PROMPT = [5, 31, 200, 7, 7, 90, 14, 3, 77, 120]


@pytest.fixture(scope="module")
def model(tiny_qwen2) -> LlamaModel:
    return LlamaModel(tiny_qwen2)


@pytest.fixture(params=[True, False], ids=["unified", "streams"])
def context(model, request):
    variant = Variant(unified_cache=request.param)
    context = LlamaContext(model, cells=1024, sequences=3, threads=1, variant=variant)
    yield context
    context.close()


def next_logits(context: LlamaContext, sequence: int) -> np.ndarray:
    return context.decode([(42, len(PROMPT), sequence, True)])[0].copy()


def test_shared_and_copied_sequences_go_on_like_the_first(context):
    context.fill(PROMPT)
    context.share(0, 1)
    context.copy(0, [2])
    expected = next_logits(context, 0)
    for sequence in (1, 2):
        assert np.abs(next_logits(context, sequence) - expected).max() < 1e-4


def test_truncation_forgets_what_came_later(context):
    context.fill(PROMPT)
    expected = next_logits(context, 0)
    context.decode([(9, len(PROMPT) + 1, 0, True)])
    context.truncate(0, len(PROMPT))
    assert np.abs(next_logits(context, 0) - expected).max() < 1e-4


def test_filling_starts_anew(context):
    first = context.fill(PROMPT).copy()
    context.fill([8, 8, 8])
    assert np.abs(context.fill(PROMPT) - first).max() < 1e-4


def test_rows_of_logits_are_those_wanted(context):
    rows = [(token, place, 0, place in (3, 9)) for place, token in enumerate(PROMPT)]
    found = context.decode(rows)
    assert found.shape == (2, 512)
    assert np.abs(found[1] - context.fill(PROMPT)).max() < 1e-4


def test_every_measurement_takes_time_and_keeps_a_variant(tiny_qwen2):
    engine = LlamaCpp(tiny_qwen2, threads=1)
    assert engine.prefill(PROMPT) > 0
    assert engine.decode([PROMPT, PROMPT], 3) > 0
    assert engine.samples(PROMPT, 3, 3) > 0
    assert engine.keystrokes(PROMPT, [1, 2], 3) > 0
    assert engine.settings().keys() == {
        "threads", "flash_attention", "unified_cache", "micro_batch",
    }  # fmt: skip


def test_a_file_that_is_no_model_is_one_sentence(tmp_path):
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF")
    with pytest.raises(MidlineError, match=r"broken\.gguf"):
        LlamaModel(path)
