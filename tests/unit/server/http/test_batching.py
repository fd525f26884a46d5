"""The scheduler: joining, order, cancelling, reading ahead, failing."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any, cast

import pytest
from engine_models import engine, random_ids

from midline.kernels import CancelFlag
from midline.model.cancellation import Cancelled
from midline.model.engines.base import DrawnToken, Engine, Request, SamplingOptions
from midline.model.errors import MidlineError
from midline.server.http.batching import Batcher
from midline.server.http.errors import HttpError
from midline.server.lsp.engine_thread import EngineClient, EngineThread, NoEngineError
from midline.server.lsp.scheduler import Priority


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


def submit(batcher: Batcher, request: Request, options: SamplingOptions, **how: Any) -> Any:
    """A request in ids of the engine that is loaded."""
    return batcher.submit(loaded(batcher), request, options, **how)


def read_ahead(batcher: Batcher, prompt: list[int]) -> Any:
    """A prompt in such ids."""
    return batcher.read_ahead(loaded(batcher), prompt)


def loaded(batcher: Batcher) -> Engine:
    runner = batcher._runner
    assert isinstance(runner, EngineClient) and runner.thread.loading is not None
    return runner.thread.loading.result(60)


def test_a_request_joins_the_one_that_is_running(batcher: Batcher) -> None:
    began, order = threading.Event(), []

    def hear(token: DrawnToken) -> None:
        if not began.is_set():
            began.set()
            second = submit(batcher, Request([7, 8]), SamplingOptions(max_tokens=3))
            second.add_done_callback(lambda _: order.append("second"))

    first = submit(batcher, Request([5, 6]), SamplingOptions(max_tokens=200), on_token=hear)
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

    alone = [ids(submit(batcher, Request(p), o)) for p, o in zip(prompts, options, strict=True)]
    futures = [submit(batcher, Request(p), o) for p, o in zip(prompts, options, strict=True)]
    assert [ids(future) for future in futures] == alone


def test_cancelling_one_leaves_the_others(batcher: Batcher) -> None:
    cancel = CancelFlag()

    def hear(token: DrawnToken) -> None:
        cancel.set()

    first = submit(
        batcher, Request([5]), SamplingOptions(max_tokens=500), on_token=hear, cancel=cancel
    )
    second = submit(batcher, Request([6]), SamplingOptions(max_tokens=40))
    assert first.result(60).completions[0].finish_reason == "cancelled"
    assert len(second.result(60).completions[0].ids) == 40
    late = CancelFlag()
    late.set()
    with pytest.raises(Cancelled):
        submit(batcher, Request([5]), SamplingOptions(), cancel=late).result(60)


def test_what_has_no_room_waits(batcher: Batcher) -> None:
    large = [
        submit(batcher, Request(random_ids(200, seed=n)), SamplingOptions(max_tokens=200))
        for n in range(6)
    ]
    many = [
        submit(batcher, Request([n]), SamplingOptions(samples=20, max_tokens=5)) for n in (1, 2)
    ]
    assert [len(f.result(60).completions[0].ids) for f in large] == [200] * 6
    assert [len(f.result(60).completions) for f in many] == [20, 20]


def test_reading_ahead_gives_way_and_goes_on(batcher: Batcher, thread: EngineThread) -> None:
    prompt = random_ids(400, seed=3)
    reading = read_ahead(batcher, prompt)
    answers = [submit(batcher, Request([n]), SamplingOptions(max_tokens=2)) for n in range(5)]
    for answer in answers:
        answer.result(60)
    reading.result(60)
    assert thread.engine is not None
    assert thread.engine.cached_tokens([*prompt, 1]) == 400


def test_a_newer_prompt_to_read_takes_the_place(batcher: Batcher) -> None:
    futures = [read_ahead(batcher, random_ids(300, seed=n)) for n in range(5)]
    for future in futures:
        future.result(60)


def test_an_error_of_a_batch_is_told_to_all_of_it(batcher: Batcher) -> None:
    with pytest.raises(MidlineError, match="the prompt is empty"):
        submit(batcher, Request([]), SamplingOptions()).result(60)
    with pytest.raises(MidlineError, match="the prompt is empty"):
        read_ahead(batcher, []).result(60)
    assert submit(batcher, Request([5]), SamplingOptions(max_tokens=2)).result(60).completions


def test_without_an_engine_requests_fail(thread: EngineThread) -> None:
    batcher, engine = Batcher(thread.client()), cast(Engine, object())
    with pytest.raises(NoEngineError):
        batcher.submit(engine, Request([5]), SamplingOptions()).result(60)
    with pytest.raises(NoEngineError):
        batcher.read_ahead(engine, [5]).result(60)


def test_ids_of_another_model_are_not_decoded(batcher: Batcher, tiny_qwen2: Path) -> None:
    before, thread = loaded(batcher), cast(EngineClient, batcher._runner).thread
    thread.release().result(60)
    found = batcher.submit(before, Request([5]), SamplingOptions(max_tokens=2)).result(60)
    assert found.completions  # the same model, loaded again
    thread.load(lambda: engine(tiny_qwen2)).result(60)
    for future in (
        batcher.submit(before, Request([5]), SamplingOptions()),
        batcher.read_ahead(before, [5]),
    ):
        with pytest.raises(HttpError, match="another model was loaded"):
            future.result(60)
    assert submit(batcher, Request([5]), SamplingOptions(max_tokens=2)).result(60).completions


def test_what_is_urgent_interrupts_a_batch(batcher: Batcher) -> None:
    thread, order = cast(EngineClient, batcher._runner).thread, []
    urgent = Batcher(thread.client(), Priority.INTERACTIVE)

    def hear(token: DrawnToken) -> None:
        if not order:
            order.append("began")
            key = submit(urgent, Request([7, 8]), SamplingOptions(max_tokens=30))
            key.add_done_callback(lambda _: order.append("urgent"))

    long = submit(batcher, Request([5, 6]), SamplingOptions(max_tokens=20), on_token=hear)
    long.add_done_callback(lambda _: order.append("long"))
    assert len(long.result(60).completions[0].ids) == 20
    assert order == ["began", "urgent", "long"]


def test_a_batch_that_others_wait_for_takes_no_more(batcher: Batcher) -> None:
    thread, order = cast(EngineClient, batcher._runner).thread, []
    other = thread.client()

    def hear(token: DrawnToken) -> None:
        if not order:
            order.append("began")
            waiting = other.run(lambda engine: None, batcher, Priority.BACKGROUND)
            waiting.add_done_callback(lambda _: order.append("other"))
            late = submit(batcher, Request([7]), SamplingOptions(max_tokens=1))
            late.add_done_callback(lambda _: order.append("late"))

    submit(batcher, Request([5]), SamplingOptions(max_tokens=50), on_token=hear).result(60)
    submit(batcher, Request([6]), SamplingOptions(max_tokens=1)).result(60)
    assert order == ["began", "other", "late"]


def test_an_abandoned_batcher_ends_everything(batcher: Batcher) -> None:
    began = threading.Event()
    long = submit(
        batcher, Request([5]), SamplingOptions(max_tokens=900), on_token=lambda _: began.set()
    )
    assert began.wait(60)
    batcher.abandon()
    assert long.result(60).completions[0].finish_reason == "cancelled"
    with pytest.raises(Cancelled):
        submit(batcher, Request([5]), SamplingOptions()).result(60)
