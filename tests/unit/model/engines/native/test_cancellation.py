"""Cancelling a request of the engine: at once, and what was computed stays known."""

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from engine_models import check_pages, engine, forget, pages_in_use, random_ids, requests
from tiny_model import QWEN2, write_tiny_model

from midline.kernels import CancelFlag
from midline.model.engines.base import NativeOptions, Request, SamplingOptions
from midline.model.engines.native.engine import NativeEngine

GREEDY = SamplingOptions(max_tokens=12, engine=NativeOptions(exact=True))


@pytest.fixture(scope="module")
def endless(tmp_path_factory: pytest.TempPathFactory) -> NativeEngine:
    """Twenty layers and two thousand tokens of context: generation takes a while."""
    types = dict.fromkeys(QWEN2.types, QWEN2.types["attn_q"])
    folder = tmp_path_factory.mktemp("endless")
    path = write_tiny_model(folder / "endless.gguf", QWEN2, layers=20, context=2048, types=types)
    loaded = engine(path)
    loaded.tokenizer.end_tokens = frozenset()
    return loaded


@pytest.fixture(autouse=True)
def no_page_is_lost(endless: NativeEngine) -> Iterator[None]:
    """After every test only the tree of known beginnings holds pages, once each."""
    yield
    check_pages(endless)


@pytest.mark.parametrize("make", [CancelFlag, threading.Event])
def test_a_request_is_cancelled_from_another_thread(endless: NativeEngine, make: type) -> None:
    cancel, first = make(), threading.Event()
    results: list = []
    prompt = random_ids(300, seed=14)
    options = replace(GREEDY, samples=4, max_tokens=1500)
    worker = threading.Thread(
        target=lambda: results.append(
            endless.generate(
                Request(prompt), options, cancel=cancel, on_token=lambda drawn: first.set()
            )
        )
    )
    worker.start()
    assert first.wait(60)
    cancel.set()
    set_at = time.perf_counter()
    worker.join(60)
    assert time.perf_counter() - set_at < 5
    (generation,) = results
    assert [c.finish_reason for c in generation.completions] == ["cancelled"] * 4
    assert all(len(c.ids) < 1500 for c in generation.completions)
    assert any(c.ids for c in generation.completions)
    # What was computed is known now.
    assert endless.generate(Request(prompt), replace(GREEDY, max_tokens=1)).cached_tokens == 299


def test_a_prompt_is_cancelled_before_it_is_computed(endless: NativeEngine) -> None:
    forget(endless)
    cancel = threading.Event()
    cancel.set()
    prompts = [random_ids(600, seed=15), random_ids(10, seed=16)]
    started = time.perf_counter()
    found = endless.batch(requests(prompts), GREEDY, cancel=cancel)
    assert time.perf_counter() - started < 5
    assert [g.completions and g.completions[0].finish_reason for g in found] == ["cancelled", []]
    assert pages_in_use(endless.decoder) == 0
    assert found[0].timings.prefill_tokens_per_second == 0


def test_a_long_prompt_is_cancelled_in_its_middle(endless: NativeEngine) -> None:
    forget(endless)
    cancel, prompt = CancelFlag(), random_ids(1500, seed=17)
    timer = threading.Timer(0.05, cancel.set)
    timer.start()
    generation = endless.generate(Request(prompt), GREEDY, cancel=cancel)
    assert generation.completions[0].finish_reason == "cancelled"
    assert generation.completions[0].ids == []
    assert generation.timings.decode_ms == 0 and generation.timings.prefill_ms > 0
    computed = endless.generate(Request(prompt[:1400]), replace(GREEDY, max_tokens=1)).cached_tokens
    assert computed % 256 == 0
