"""A second engine: loaded beside the first, used on its thread, freed with it."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from fake_engine import FakeEngine
from tiny_model import QWEN2, write_tiny_model

from midline.model.errors import MidlineError
from midline.model.tokenizer.tokenizer import Tokenizer
from midline.model.weights.gguf import read_gguf
from midline.server.lsp.engine_thread import EngineThread
from midline.server.lsp.pause_engine import PauseEngine


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    path = write_tiny_model(tmp_path_factory.mktemp("pause") / "tiny.gguf", QWEN2)
    return Tokenizer.from_gguf(read_gguf(path))


@pytest.fixture
def engines(tokenizer: Tokenizer) -> Callable[..., Any]:
    return lambda name: FakeEngine(tokenizer, lambda prompt: "1", name=name)


def test_what_is_wanted_is_loaded_once(engines: Any) -> None:
    pause, made = PauseEngine(), list[Any]()
    assert pause.current() is None

    def load() -> Any:
        made.append(engines("large"))
        return made[-1]

    first, again = pause.want(load, "large"), pause.want(load, "large")
    assert first is again is not None
    assert first.result(10) is made[0]
    loaded = pause.current()
    assert loaded is not None and loaded.engine is made[0] and pause.name == "large"
    assert loaded.speed.tokens_per_second != loaded.speed.START
    assert len(made) == 1


def test_another_model_takes_the_place_of_the_first(engines: Any) -> None:
    pause, one, other = PauseEngine(), engines("one"), engines("other")
    pause.want(lambda: one, "one").result(10)  # type: ignore[union-attr]
    pause.want(lambda: other, "other").result(10)  # type: ignore[union-attr]
    assert not one.is_closed, "only the engine's thread may close it"
    assert pause.current().engine is other  # type: ignore[union-attr]
    assert one.is_closed


def test_one_that_is_not_wanted_any_more_is_closed_when_it_arrives(engines: Any) -> None:
    pause, begun, go_on = PauseEngine(), threading.Event(), threading.Event()
    engine = engines("slow")

    def load() -> Any:
        begun.set()
        go_on.wait(10)
        return engine

    loading = pause.want(load, "slow")
    assert begun.wait(10)
    pause.want(None)
    go_on.set()
    assert loading is not None and loading.result(10) is engine
    assert pause.current() is None
    assert engine.is_closed and pause.name is None


def test_a_failure_is_the_future_s_and_is_tried_again_when_wanted_again(engines: Any) -> None:
    pause, tries = PauseEngine(), list[int]()

    def load() -> Any:
        tries.append(1)
        if len(tries) == 1:
            raise MidlineError("it is not here")
        return engines("large")

    with pytest.raises(MidlineError):
        pause.want(load, "large").result(10)  # type: ignore[union-attr]
    assert pause.current() is None and len(tries) == 1
    pause.want(load, "large").result(10)  # type: ignore[union-attr]
    assert pause.current() is not None


def test_it_is_freed_with_the_first_and_comes_back_when_it_is_used(engines: Any) -> None:
    thread, made = EngineThread(), list[Any]()

    def load() -> Any:
        made.append(engines("large"))
        return made[-1]

    thread.load(lambda: engines("small")).result(10)
    thread.pause.want(load, "large").result(10)  # type: ignore[union-attr]
    assert thread.pause.current() is not None
    thread.release().result(10)
    assert made[0].is_closed and thread.pause.name is None
    assert thread.pause.current() is None
    while thread.pause.name is None:
        threading.Event().wait(0.01)
    assert len(made) == 2 and not made[1].is_closed
    thread.close(5)
