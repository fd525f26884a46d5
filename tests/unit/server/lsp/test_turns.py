"""Turns: what goes first between two steps of a task, and what waits for its end."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from engine_models import engine, random_ids

from midline.model.engines.base import Engine, Request, SamplingOptions
from midline.server.lsp import turns
from midline.server.lsp.engine_thread import EngineClient, EngineThread
from midline.server.lsp.scheduler import Priority, Scheduler, Task

INTERACTIVE, BY_HAND, BACKGROUND = Priority.INTERACTIVE, Priority.BY_HAND, Priority.BACKGROUND


class Work:
    """Work that nobody gives up."""

    stale = False

    def abandon(self) -> None:
        self.stale = True


class Steps:
    """An engine that takes a break whenever it is told to."""

    breaks: Any = None

    def close(self) -> None:
        return


@pytest.fixture
def thread() -> Iterator[EngineThread]:
    made = EngineThread()
    made.load(lambda: Steps())  # type: ignore[arg-type, return-value]
    yield made
    made.close(5)


def interrupted(
    thread: EngineThread, running: Priority, coming: Priority, *, same_client: bool = False
) -> list[str]:
    """What is noted when a task of one class comes while one of another takes breaks."""
    seen: list[str] = []
    first = thread.client()
    second = first if same_client else thread.client()
    begun, asked = threading.Event(), threading.Event()

    def long(engine: Any) -> None:
        begun.set()
        assert asked.wait(5)
        engine.breaks()
        seen.append("long")

    done = first.run(long, Work(), running)
    assert begun.wait(5)
    short = second.run(lambda engine: seen.append("short"), Work(), coming)
    asked.set()
    done.result(5)
    short.result(5)
    return seen


@pytest.mark.parametrize(
    ("running", "coming", "is_first"),
    [
        (BACKGROUND, INTERACTIVE, True),
        (BACKGROUND, BY_HAND, True),
        (BY_HAND, INTERACTIVE, True),
        (INTERACTIVE, INTERACTIVE, True),
        (INTERACTIVE, BY_HAND, False),
        (BY_HAND, BY_HAND, False),
        (BACKGROUND, BACKGROUND, False),
        (BACKGROUND, Priority.IDLE, False),
    ],
)
def test_what_is_more_urgent_goes_first_in_a_break(
    thread: EngineThread, running: Priority, coming: Priority, is_first: bool
) -> None:
    seen = interrupted(thread, running, coming)
    assert seen == (["short", "long"] if is_first else ["long", "short"])


def test_a_clients_own_newer_completion_waits_for_the_end_of_the_older(
    thread: EngineThread,
) -> None:
    seen = interrupted(thread, INTERACTIVE, INTERACTIVE, same_client=True)
    assert seen == ["long", "short"]


def test_a_completion_does_not_give_way_to_its_own_class_for_ever(
    thread: EngineThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "MOST_WAIT", 0.0)
    assert interrupted(thread, INTERACTIVE, INTERACTIVE) == ["long", "short"]
    assert interrupted(thread, BACKGROUND, INTERACTIVE) == ["short", "long"]


def test_a_load_waits_for_the_end(thread: EngineThread) -> None:
    begun, asked = threading.Event(), threading.Event()
    closed: list[bool] = []

    def long(engine: Any) -> None:
        begun.set()
        assert asked.wait(5)
        engine.breaks()
        closed.append(thread.engine is not engine)

    done = thread.client().run(long, Work(), BACKGROUND)
    assert begun.wait(5)
    loading = thread.load(lambda: Steps())  # type: ignore[arg-type, return-value]
    asked.set()
    done.result(5)
    loading.result(5)
    assert closed == [False]


def test_interruptions_are_interrupted_only_so_often(thread: EngineThread) -> None:
    clients = [thread.client() for _ in range(turns.MOST_NESTED + 2)]
    depth, deepest = [0], [0]

    def nested(number: int) -> Callable[[Any], None]:
        def run(engine: Any) -> None:
            depth[0] += 1
            deepest[0] = max(deepest[0], depth[0])
            if number + 1 < len(clients):
                clients[number + 1].run(nested(number + 1), Work())
            engine.breaks()
            depth[0] -= 1

        return run

    clients[0].run(nested(0), Work(), BACKGROUND).result(5)
    thread.client().run(lambda engine: None, Work(), BACKGROUND).result(5)
    assert deepest[0] == turns.MOST_NESTED


def test_others_wait_where_a_task_waits_or_was_interrupted(thread: EngineThread) -> None:
    found: list[bool] = []
    first, second = thread.client(), thread.client()

    def inner(engine: Any) -> None:
        found.append(thread.turns.are_wanted)

    def outer(engine: Any) -> None:
        found.append(thread.turns.are_wanted)
        second.run(inner, Work())
        engine.breaks()
        first.run(lambda engine: None, Work(), BACKGROUND)
        found.append(thread.turns.are_wanted)

    first.run(outer, Work(), BACKGROUND).result(5)
    assert found == [False, True, True]


@pytest.fixture
def tiny(tiny_qwen2: Path) -> Iterator[EngineClient]:
    """A client of a tiny model that never ends a text by itself."""

    def load() -> Engine:
        loaded = engine(tiny_qwen2)
        loaded.tokenizer.end_tokens = frozenset()
        return loaded

    made = EngineThread()
    made.load(load).result(60)
    yield made.client()
    made.close(10)


@pytest.mark.parametrize("priority", [BACKGROUND, BY_HAND])
def test_an_interrupted_generation_goes_on_as_if_nothing_had_been(
    tiny: EngineClient, priority: Priority
) -> None:
    long, short = Request(random_ids(200, seed=1)), Request(random_ids(90, seed=2))
    options = SamplingOptions(max_tokens=40, samples=2, temperature=0.8, seed=7)
    key = tiny.thread.client()
    ends: list[str] = []

    def generate(request: Request, options: SamplingOptions) -> Callable[[Engine], Any]:
        return lambda engine: [c.ids for c in engine.generate(request, options).completions]

    for _ in range(2):  # the second time, as later, with the prompt in the cache
        alone = tiny.run(generate(long, options), Work(), priority).result(60)
        key_alone = tiny.run(generate(short, SamplingOptions(max_tokens=5)), Work()).result(60)
    keys: list[Any] = []

    def press(token: Any) -> None:
        if len(keys) < 5:
            keys.append(key.run(generate(short, SamplingOptions(max_tokens=5)), Work()))
            keys[-1].add_done_callback(lambda done: ends.append("key"))

    def slowly(engine: Engine) -> Any:
        found = engine.generate(long, options, on_token=press)
        ends.append("long")
        return [c.ids for c in found.completions]

    assert tiny.run(slowly, Work(), priority).result(60) == alone
    assert [pressed.result(60) for pressed in keys] == [key_alone] * 5
    assert ends == ["key"] * 5 + ["long"]


def test_prompts_are_read_in_longer_steps_while_nobody_types(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 100.0
    monkeypatch.setattr(turns.time, "monotonic", lambda: now)
    turn = turns.Turns(Scheduler())
    seen: list[int | None] = []

    def read(priority: Priority) -> int | None:
        turn.run(Task(priority, None, lambda: seen.append(turn.step_tokens)))
        return seen[-1]

    assert turn.step_tokens is None
    assert read(BACKGROUND) == turns.QUIET_STEP_TOKENS
    assert read(INTERACTIVE) == turns.STEP_TOKENS[INTERACTIVE]
    assert read(BACKGROUND) == turns.STEP_TOKENS[BACKGROUND] < turns.QUIET_STEP_TOKENS
    now += turns.QUIET_SECONDS + 1
    assert read(BACKGROUND) == turns.QUIET_STEP_TOKENS
    assert read(Priority.LOAD) is None
