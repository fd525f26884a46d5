"""The engine thread: order, giving up, failing, resting."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from midline.server.lsp.engine_policy import Policy
from midline.server.lsp.engine_thread import EngineClient, EngineThread, NoEngineError
from midline.server.lsp.scheduler import Priority


class _Engine:
    """What can be released, which is all that the thread asks of an engine."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


ENGINE: Any = _Engine()


class Request:
    """Work that can be given up."""

    def __init__(self, name: str) -> None:
        self.name, self.stale = name, False

    def abandon(self) -> None:
        self.stale = True


@pytest.fixture
def thread() -> Any:
    made = EngineThread().client()
    yield made
    made.close(5)


def _hold(thread: EngineClient) -> threading.Event:
    """Keep the engine busy until the event is set, so that what is asked meanwhile waits."""
    gate, begun = threading.Event(), threading.Event()

    def wait(engine: Any) -> None:
        begun.set()
        gate.wait(10)

    thread.run(wait, Request("held"))
    assert begun.wait(5)
    return gate


def test_the_newest_of_a_clients_completions_comes_first(thread: EngineClient) -> None:
    thread.load(lambda: ENGINE)
    gate, seen = _hold(thread), []
    tasks = [
        thread.run(lambda engine, n=n: seen.append((n, engine)), Request("a"))  # type: ignore[misc]
        for n in range(3)
    ]
    gate.set()
    for task in tasks:
        task.result(5)
    assert seen == [(n, ENGINE) for n in (2, 1, 0)]


def test_a_client_that_asks_for_much_does_not_keep_another_waiting(thread: EngineClient) -> None:
    other = thread.thread.client()
    thread.load(lambda: ENGINE)
    gate, seen = _hold(thread), []
    tasks = [thread.run(lambda engine: seen.append("much"), Request("a")) for _ in range(3)]
    tasks.append(other.run(lambda engine: seen.append("one"), Request("b")))
    gate.set()
    for task in tasks:
        task.result(5)
    assert seen == ["one", "much", "much", "much"]


def test_a_key_comes_before_a_long_text(thread: EngineClient) -> None:
    other = thread.thread.client()
    thread.load(lambda: ENGINE)
    gate, seen = _hold(thread), []
    long = other.run(lambda engine: seen.append("long"), Request("b"), Priority.BACKGROUND)
    key = thread.run(lambda engine: seen.append("key"), Request("a"))
    gate.set()
    assert long.result(5) is None and key.result(5) is None
    assert seen == ["key", "long"]


def test_others_are_asked_to_give_way(thread: EngineClient) -> None:
    asked: list[str] = []
    thread.thread.client(lambda: asked.append("other"))
    mine = thread.thread.client(lambda: asked.append("mine"))
    thread.load(lambda: ENGINE)
    mine.run(lambda engine: 1, Request("a")).result(5)
    assert asked == ["other"]
    mine.run(lambda engine: 1, Request("a"), Priority.BACKGROUND).result(5)
    assert asked == ["other"]


def test_what_was_meant_for_an_earlier_model_is_dropped(thread: EngineClient) -> None:
    thread.load(lambda: ENGINE)
    gate, ran = _hold(thread), []
    early = thread.run(lambda engine: ran.append(1), Request("a"))
    thread.thread.load(lambda: _Engine())
    gate.set()
    assert early.result(5) is None and ran == []


def test_a_released_engine_is_back_for_the_next_task(thread: EngineClient) -> None:
    made: list[_Engine] = []

    def load() -> Any:
        made.append(_Engine())
        return made[-1]

    thread.load(load).result(5)
    assert thread.thread.release().result(5) is True
    assert made[0].closed == 1 and thread.thread.engine is None
    assert not thread.has_failed
    assert thread.run(lambda engine: engine, Request("a")).result(5) is made[1]
    assert thread.thread.release().result(5) is True
    assert thread.thread.release().result(5) is False


def test_the_same_load_is_found_by_its_key(thread: EngineClient) -> None:
    hub = thread.thread
    assert hub.loading_of("model") is None
    loading = thread.load(lambda: ENGINE, "model")
    assert hub.loading_of("model") is loading and hub.loading_of("other") is None
    loading.result(5)
    assert hub.loading_of("model") is loading
    failed = thread.load(lambda: 1 / 0, "model")  # type: ignore[arg-type, return-value]
    assert failed.exception(5) is not None
    assert hub.loading_of("model") is None


def test_a_client_that_leaves_takes_its_tasks_along(thread: EngineClient) -> None:
    thread.load(lambda: ENGINE)
    leaving, ran = thread.thread.client(), []
    gate = _hold(thread)
    task = leaving.run(lambda engine: ran.append(1), work := Request("a"))
    leaving.leave()
    gate.set()
    assert thread.run(lambda engine: 1, Request("b")).result(5) == 1
    assert task.cancelled() and work.stale and ran == []


def test_an_idle_task_goes_on_after_another_client(thread: EngineClient) -> None:
    thread.load(lambda: ENGINE)
    other, begun, times = thread.thread.client(), threading.Event(), []

    def work(engine: Any, is_over: Callable[[], bool]) -> None:
        times.append(1)
        begun.set()
        while len(times) == 1 and not is_over():
            time.sleep(0.001)

    reading = thread.run_when_idle(work, "a")
    assert begun.wait(5)
    assert other.run(lambda engine: 1, Request("b")).result(5) == 1
    reading.result(5)
    assert times == [1, 1]


def test_without_an_engine_a_task_says_so(thread: EngineClient) -> None:
    with pytest.raises(NoEngineError):
        thread.run(lambda engine: 1, Request("a")).result(5)


def test_a_failed_load_leaves_no_engine(thread: EngineClient) -> None:
    thread.load(lambda: ENGINE).result(5)

    def fail() -> Any:
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        thread.load(fail).result(5)
    with pytest.raises(NoEngineError):
        thread.run(lambda engine: 1, Request("a")).result(5)


def test_a_load_has_failed_when_it_ended_without_an_engine(thread: EngineClient) -> None:
    assert not thread.has_failed
    gate = threading.Event()
    loading = thread.load(lambda: gate.wait(5) and 1 / 0)  # type: ignore[arg-type, return-value]
    assert not thread.has_failed
    gate.set()
    with pytest.raises(ZeroDivisionError):
        loading.result(5)
    assert thread.has_failed
    thread.load(lambda: ENGINE).result(5)
    assert not thread.has_failed


def test_a_task_cancelled_before_its_turn_is_forgotten(thread: EngineClient) -> None:
    thread.load(lambda: ENGINE)
    gate = threading.Event()
    first = thread.run(lambda engine: gate.wait(5), Request("a"))
    assert thread.run(lambda engine: 1, Request("b")).cancel()
    gate.set()
    assert first.result(5) is True
    thread.load(lambda: ENGINE).result(5)  # what is done before it has been told to everybody
    assert thread._running == set()


def test_a_task_given_up_before_its_turn_never_runs(thread: EngineClient) -> None:
    thread.load(lambda: ENGINE)
    gate, flag, ran = threading.Event(), Request("a"), []
    first = thread.run(lambda engine: gate.wait(5), Request("a"))
    second = thread.run(lambda engine: ran.append(1), flag)
    flag.abandon()
    gate.set()
    assert first.result(5) is True
    assert second.result(5) is None
    assert ran == []


def test_closing_gives_up_what_runs() -> None:
    thread = EngineThread().client()
    thread.load(lambda: ENGINE)
    started = threading.Event()

    def work(flag: Request) -> int:
        started.set()
        while not flag.stale:
            time.sleep(0.001)
        return 7

    flag = Request("a")
    task = thread.run(lambda engine: work(flag), flag)
    assert started.wait(5)
    assert thread.close(5)
    assert task.result(0) == 7


def test_closing_does_not_wait_for_ever() -> None:
    thread, gate = EngineThread().client(), threading.Event()
    thread.load(lambda: gate.wait(30) and ENGINE)
    began = time.monotonic()
    assert not thread.close(0.1)
    assert time.monotonic() - began < 2
    gate.set()


def _until_told(engine: Any, is_over: Callable[[], bool]) -> None:
    while not is_over():
        time.sleep(0.001)


def test_anything_that_comes_ends_what_runs_when_idle() -> None:
    thread = EngineThread().client()
    thread.load(lambda: ENGINE)
    for _ in range(3):
        thread.run_when_idle(_until_told, "a")
        assert thread.run(lambda engine: engine, Request("a")).result(5) is ENGINE
    thread.run_when_idle(_until_told, "a")
    assert thread.load(lambda: ENGINE).result(5) is ENGINE
    thread.run_when_idle(_until_told, "a")
    assert thread.close(5)


def test_an_idle_task_ends_with_its_document(thread: EngineClient) -> None:
    thread.load(lambda: ENGINE)
    ended = threading.Event()

    def work(engine: Any, is_over: Callable[[], bool]) -> None:
        _until_told(engine, is_over)
        ended.set()

    thread.run_when_idle(work, "a")
    thread.stop_idle("b")
    assert not ended.wait(0.05)
    thread.stop_idle("a")
    assert ended.wait(5)


def test_an_idle_task_that_fails_is_no_matter(thread: EngineClient) -> None:
    thread.run_when_idle(lambda engine, cancel: None, "a")  # there is no engine yet
    thread.load(lambda: ENGINE)
    thread.run_when_idle(lambda engine, cancel: 1 / 0, "a")
    assert thread.run(lambda engine: 1, Request("a")).result(5) == 1


def test_the_policy_holds_for_all_tasks(thread: EngineClient) -> None:
    thread.load(lambda: ENGINE).result(5)
    thread.thread.policy = policy = Policy(idle_share=0.5)
    before = thread.thread.used_at
    for _ in range(3):
        thread.run(lambda engine: time.sleep(0.001), Request("a")).result(5)
    _hold(thread).set()  # what follows a task is done before the next begins
    assert thread.thread.policy is policy and thread.thread.used_at > before
