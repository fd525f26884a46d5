"""The engine thread: order, giving up, failing, resting."""

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from midline.server.lsp.engine_thread import EngineThread, NoEngineError

ENGINE: Any = object()


class Request:
    """Work that can be given up."""

    def __init__(self, name: str) -> None:
        self.name, self.stale = name, False

    def abandon(self) -> None:
        self.stale = True


@pytest.fixture
def thread() -> Any:
    made = EngineThread()
    yield made
    made.close(5)


def test_tasks_get_the_engine_in_order(thread: EngineThread) -> None:
    thread.load(lambda: ENGINE)
    seen: list[tuple[int, object]] = []
    tasks = [
        thread.run(lambda engine, n=n: seen.append((n, engine)), Request("a"))  # type: ignore[misc]
        for n in range(5)
    ]
    for task in tasks:
        task.result(5)
    assert seen == [(n, ENGINE) for n in range(5)]


def test_without_an_engine_a_task_says_so(thread: EngineThread) -> None:
    with pytest.raises(NoEngineError):
        thread.run(lambda engine: 1, Request("a")).result(5)


def test_a_failed_load_leaves_no_engine(thread: EngineThread) -> None:
    thread.load(lambda: ENGINE).result(5)

    def fail() -> Any:
        raise RuntimeError("no memory")

    with pytest.raises(RuntimeError, match="no memory"):
        thread.load(fail).result(5)
    with pytest.raises(NoEngineError):
        thread.run(lambda engine: 1, Request("a")).result(5)


def test_a_load_has_failed_when_it_ended_without_an_engine(thread: EngineThread) -> None:
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


def test_a_task_cancelled_before_its_turn_is_forgotten(thread: EngineThread) -> None:
    thread.load(lambda: ENGINE)
    gate = threading.Event()
    first = thread.run(lambda engine: gate.wait(5), Request("a"))
    assert thread.run(lambda engine: 1, Request("b")).cancel()
    gate.set()
    assert first.result(5) is True
    thread.load(lambda: ENGINE).result(5)  # what is done before it has been told to everybody
    assert thread._running == set()


def test_a_task_given_up_before_its_turn_never_runs(thread: EngineThread) -> None:
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
    thread = EngineThread()
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
    thread, gate = EngineThread(), threading.Event()
    thread.load(lambda: gate.wait(30) and ENGINE)
    began = time.monotonic()
    assert not thread.close(0.1)
    assert time.monotonic() - began < 2
    gate.set()


def _until_told(engine: Any, is_over: Callable[[], bool]) -> None:
    while not is_over():
        time.sleep(0.001)


def test_anything_that_comes_ends_what_runs_when_idle() -> None:
    thread = EngineThread()
    thread.load(lambda: ENGINE)
    for _ in range(3):
        thread.run_when_idle(_until_told, "a")
        assert thread.run(lambda engine: engine, Request("a")).result(5) is ENGINE
    thread.run_when_idle(_until_told, "a")
    assert thread.load(lambda: ENGINE).result(5) is ENGINE
    thread.run_when_idle(_until_told, "a")
    assert thread.close(5)


def test_an_idle_task_ends_with_its_document(thread: EngineThread) -> None:
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


def test_an_idle_task_that_fails_is_no_matter(thread: EngineThread) -> None:
    thread.run_when_idle(lambda engine, cancel: None, "a")  # there is no engine yet
    thread.load(lambda: ENGINE)
    thread.run_when_idle(lambda engine, cancel: 1 / 0, "a")
    assert thread.run(lambda engine: 1, Request("a")).result(5) == 1
