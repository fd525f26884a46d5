"""The scheduler: joining, order, cancelling, reading ahead, failing."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import pytest
from engine_models import engine, random_ids

from midline.kernels import CancelFlag
from midline.model.cancellation import Cancelled
from midline.model.engines.base import DrawnToken, Engine, Request, SamplingOptions
from midline.model.errors import MidlineError
from midline.server.http.batching import Batcher
from midline.server.lsp.engine_thread import EngineThread, NoEngineError


@pytest.fixture
def thread() -> Iterator[EngineThread]:
    made = EngineThread()
    yield made
    made.close(10)


@pytest.fixture
def batcher(thread: EngineThread, tiny_qwen2: Path) -> Batcher:
    """Of a tiny model that never ends a text by itself."""

    def load() -> Engine:
        loaded = engine(tiny_qwen2)
        loaded.tokenizer.end_tokens = frozenset()
        return loaded

    thread.load(load).result(60)
    return Batcher(thread.client())


def test_a_request_joins_the_one_that_is_running(batcher: Batcher) -> None:
    began, order = threading.Event(), []

    def hear(token: DrawnToken) -> None:
        if not began.is_set():
            began.set()
            second = batcher.submit(Request([7, 8]), SamplingOptions(max_tokens=3))
            second.add_done_callback(lambda _: order.append("second"))

    first = batcher.submit(Request([5, 6]), SamplingOptions(max_tokens=200), on_token=hear)
    first.add_done_callback(lambda _: order.append("first"))
    assert len(first.result(60).completions[0].ids) == 200
    assert order == ["second", "first"]


def test_texts_do_not_depend_on_the_company(batcher: Batcher) -> None:
    options = [
        SamplingOptions(max_tokens=8 + n, temperature=n % 2 * 0.8, seed=n, samples=1 + n % 3)
        for n in range(9)
    ]
    prompts = [random_ids(9 + n, seed=n) for n in range(9)]

    def ids(future: "Future[Any]") -> list[list[int]]:
        return [completion.ids for completion in future.result(60).completions]

    alone = [ids(batcher.submit(Request(p), o)) for p, o in zip(prompts, options, strict=True)]
    futures = [batcher.submit(Request(p), o) for p, o in zip(prompts, options, strict=True)]
    assert [ids(future) for future in futures] == alone


def test_cancelling_one_leaves_the_others(batcher: Batcher) -> None:
    cancel = CancelFlag()

    def hear(token: DrawnToken) -> None:
        cancel.set()

    first = batcher.submit(
        Request([5]), SamplingOptions(max_tokens=500), on_token=hear, cancel=cancel
    )
    second = batcher.submit(Request([6]), SamplingOptions(max_tokens=40))
    assert first.result(60).completions[0].finish_reason == "cancelled"
    assert len(second.result(60).completions[0].ids) == 40
    late = CancelFlag()
    late.set()
    with pytest.raises(Cancelled):
        batcher.submit(Request([5]), SamplingOptions(), cancel=late).result(60)


def test_what_has_no_room_waits(batcher: Batcher) -> None:
    large = [
        batcher.submit(Request(random_ids(200, seed=n)), SamplingOptions(max_tokens=200))
        for n in range(6)
    ]
    many = [batcher.submit(Request([n]), SamplingOptions(samples=20, max_tokens=5)) for n in (1, 2)]
    assert [len(f.result(60).completions[0].ids) for f in large] == [200] * 6
    assert [len(f.result(60).completions) for f in many] == [20, 20]


def test_reading_ahead_gives_way_and_goes_on(batcher: Batcher, thread: EngineThread) -> None:
    prompt = random_ids(400, seed=3)
    reading = batcher.read_ahead(prompt)
    answers = [batcher.submit(Request([n]), SamplingOptions(max_tokens=2)) for n in range(5)]
    for answer in answers:
        answer.result(60)
    reading.result(60)
    assert thread.engine is not None
    assert thread.engine.cached_tokens([*prompt, 1]) == 400


def test_a_newer_prompt_to_read_takes_the_place(batcher: Batcher) -> None:
    futures = [batcher.read_ahead(random_ids(300, seed=n)) for n in range(5)]
    for future in futures:
        future.result(60)


def test_an_error_of_a_batch_is_told_to_all_of_it(batcher: Batcher) -> None:
    with pytest.raises(MidlineError, match="the prompt is empty"):
        batcher.submit(Request([]), SamplingOptions()).result(60)
    with pytest.raises(MidlineError, match="the prompt is empty"):
        batcher.read_ahead([]).result(60)
    assert batcher.submit(Request([5]), SamplingOptions(max_tokens=2)).result(60).completions


def test_without_an_engine_requests_fail(thread: EngineThread) -> None:
    batcher = Batcher(thread.client())
    with pytest.raises(NoEngineError):
        batcher.submit(Request([5]), SamplingOptions()).result(60)


def test_an_abandoned_batcher_ends_everything(batcher: Batcher) -> None:
    began = threading.Event()
    long = batcher.submit(
        Request([5]), SamplingOptions(max_tokens=900), on_token=lambda _: began.set()
    )
    assert began.wait(60)
    batcher.abandon()
    assert long.result(60).completions[0].finish_reason == "cancelled"
    with pytest.raises(Cancelled):
        batcher.submit(Request([5]), SamplingOptions()).result(60)
